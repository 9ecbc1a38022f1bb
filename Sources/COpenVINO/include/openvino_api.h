// The part of OpenVINO's C API that Partita calls, as a table of functions that is filled at run time.
//
// The library is opened when the first model is loaded, not when the program is linked: the compiler need
// not wait for the runtime's download, and commands that infer nothing start without it.
// Declarations follow openvino/c/*.h of OpenVINO 2026.4 (Apache-2.0).
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef struct ov_core ov_core;
typedef struct ov_compiled_model ov_compiled_model;
typedef struct ov_infer_request ov_infer_request;
typedef struct ov_tensor ov_tensor;
typedef struct ov_port ov_port;

typedef struct {
    int64_t rank;
    int64_t *dims;
} ov_shape;

typedef struct {
    const char *key;
    const char *value;
} ov_property;

typedef struct {
    const char *build_number;
    const char *description;
} ov_version;

typedef struct {
    int64_t min;
    int64_t max;
} ov_dimension;

typedef struct {
    ov_dimension rank;
    ov_dimension *dims;
} ov_partial_shape;

// ov_element_type_e: F32 and I64.
enum { OV_ELEMENT_F32 = 4, OV_ELEMENT_I64 = 10 };

// Every function but the `free` ones and `last_error` returns 0 on success.
typedef struct {
    const char *(*last_error)(void);
    int (*version)(ov_version *);
    void (*version_free)(ov_version *);
    int (*core_create)(ov_core **);
    void (*core_free)(ov_core *);
    int (*compile_from_file)(
        const ov_core *, const char *path, const char *device, size_t count, const ov_property *,
        ov_compiled_model **);
    void (*compiled_model_free)(ov_compiled_model *);
    int (*inputs_size)(const ov_compiled_model *, size_t *);
    int (*outputs_size)(const ov_compiled_model *, size_t *);
    int (*input_by_name)(const ov_compiled_model *, const char *name, ov_port **);
    int (*output_by_name)(const ov_compiled_model *, const char *name, ov_port **);
    int (*input_by_index)(const ov_compiled_model *, size_t, ov_port **);
    int (*port_name)(const ov_port *, char **);
    void (*name_free)(const char *);
    int (*port_element_type)(const ov_port *, int *);
    int (*port_partial_shape)(const ov_port *, ov_partial_shape *);
    void (*partial_shape_free)(ov_partial_shape *);
    int (*port_shape)(const ov_port *, ov_shape *);
    int (*shape_free)(ov_shape *);
    void (*port_free)(ov_port *);
    int (*create_infer_request)(const ov_compiled_model *, ov_infer_request **);
    void (*infer_request_free)(ov_infer_request *);
    int (*tensor_from_host)(int element_type, ov_shape, void *, ov_tensor **);
    void (*tensor_free)(ov_tensor *);
    int (*tensor_shape)(const ov_tensor *, ov_shape *);
    int (*tensor_element_type)(const ov_tensor *, int *);
    int (*tensor_data)(const ov_tensor *, void **);
    int (*set_tensor)(ov_infer_request *, const char *name, const ov_tensor *);
    int (*output_tensor_by_index)(const ov_infer_request *, size_t, ov_tensor **);
    int (*infer)(ov_infer_request *);
} ov_api;

// Opens the library (a path to libopenvino_c.so) and fills the table.
// Returns NULL, or a message that is valid until the next call on this thread.
const char *ov_api_load(const char *library, ov_api *api);

// From now on free memory goes back to the system in blocks of a megabyte or more, and there are two pools of smaller
// ones (left to itself, glibc keeps ever larger blocks, and in many pools).
void ov_limit_arenas(void);

// Gives back to the system what only compiling needed: free memory, about 40 MB a network, and the pages of compiled
// networks in the folder `cache` (NULL: none), whose weights are in an order of their own by now. A page that is wanted
// again is read again.
void ov_return_memory(const char *cache);
