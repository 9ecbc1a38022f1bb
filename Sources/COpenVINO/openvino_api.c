#include "openvino_api.h"

#include <dlfcn.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

const char *ov_api_load(const char *library, ov_api *api) {
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (!handle) return dlerror();

    const struct {
        const char *name;
        void **slot;
    } symbols[] = {
        {"ov_get_last_err_msg", (void **)&api->last_error},
        {"ov_get_openvino_version", (void **)&api->version},
        {"ov_version_free", (void **)&api->version_free},
        {"ov_core_create", (void **)&api->core_create},
        {"ov_core_free", (void **)&api->core_free},
        {"ov_core_compile_model_from_file_props", (void **)&api->compile_from_file},
        {"ov_compiled_model_free", (void **)&api->compiled_model_free},
        {"ov_compiled_model_inputs_size", (void **)&api->inputs_size},
        {"ov_compiled_model_outputs_size", (void **)&api->outputs_size},
        {"ov_compiled_model_input_by_name", (void **)&api->input_by_name},
        {"ov_compiled_model_output_by_name", (void **)&api->output_by_name},
        {"ov_compiled_model_input_by_index", (void **)&api->input_by_index},
        {"ov_port_get_any_name", (void **)&api->port_name},
        {"ov_free", (void **)&api->name_free},
        {"ov_port_get_element_type", (void **)&api->port_element_type},
        {"ov_port_get_partial_shape", (void **)&api->port_partial_shape},
        {"ov_partial_shape_free", (void **)&api->partial_shape_free},
        {"ov_const_port_get_shape", (void **)&api->port_shape},
        {"ov_shape_free", (void **)&api->shape_free},
        {"ov_output_const_port_free", (void **)&api->port_free},
        {"ov_compiled_model_create_infer_request", (void **)&api->create_infer_request},
        {"ov_infer_request_free", (void **)&api->infer_request_free},
        {"ov_tensor_create_from_host_ptr", (void **)&api->tensor_from_host},
        {"ov_tensor_free", (void **)&api->tensor_free},
        {"ov_tensor_get_shape", (void **)&api->tensor_shape},
        {"ov_tensor_get_element_type", (void **)&api->tensor_element_type},
        {"ov_tensor_data", (void **)&api->tensor_data},
        {"ov_infer_request_set_tensor", (void **)&api->set_tensor},
        {"ov_infer_request_get_output_tensor_by_index", (void **)&api->output_tensor_by_index},
        {"ov_infer_request_infer", (void **)&api->infer},
    };
    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
        *symbols[i].slot = dlsym(handle, symbols[i].name);
        if (!*symbols[i].slot) {
            const char *message = dlerror();
            return message ? message : symbols[i].name;
        }
    }
    return NULL;
}

void ov_limit_arenas(void) {
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
    mallopt(M_ARENA_MAX, 2);
}

void ov_return_memory(const char *cache) {
    malloc_trim(0);
    // Without links, as in the list of maps.
    char *folder = cache ? realpath(cache, NULL) : NULL;
    FILE *maps = folder ? fopen("/proc/self/maps", "r") : NULL;
    char line[PATH_MAX + 128], access[5];
    unsigned long start, end;
    // Lines like “7f00-7f20 r--s … /path/1.blob”; what can have been written to stays.
    while (maps && fgets(line, sizeof line, maps))
        if (strstr(line, folder) && strstr(line, ".blob") &&
            sscanf(line, "%lx-%lx %4s", &start, &end, access) == 3 && !strchr(access, 'w'))
            madvise((void *)start, end - start, MADV_DONTNEED);
    if (maps) fclose(maps);
    free(folder);
}
