// The SoX resampler: linear phase, delay-compensated, streaming.
#include <soxr.h>
