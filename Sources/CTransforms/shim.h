// The transforms of libavutil (FFT, real FFT), which are the fastest that Debian packages carry.
#include <libavutil/mem.h>
#include <libavutil/tx.h>
