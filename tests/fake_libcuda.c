// A driver without a GPU: what fused_cuda calls of libcuda, and what cuda-bindings needs to load it.
// A launch is refused where CUDA would refuse it, and otherwise printed with its arguments.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { REFUSED = 1, NO_SYMBOL = 500, DEFAULT_SHARED = 49152, OFFERED = 232448 };
static char loaded;
static struct { char name[16]; int shared; } kernels[8];
static int count;
// What each kernel takes: arrays, of which the first number is printed, floats and integers.
static const struct { const char *name, *kinds; } takes[] = {
    {"learn", "aaaaaaaifi"}, {"slice", "aaaai"}, {"descend", "aaaaaaiifi"}, {"answer", "aaai"}};

int cuDriverGetVersion(int *version) { *version = 13000; return 0; }
int cuDeviceGet(int *device, int ordinal) { *device = ordinal; return 0; }
int cuDeviceGetAttribute(int *value, int which, int device) { *value = which == 97 ? OFFERED : 0; return 0; }
int cuModuleLoadData(void **module, const void *image) {
    if (memcmp(image, "\177ELF", 4)) return REFUSED;  // machine code, and no PTX, for a known GPU
    *module = &loaded;
    return 0;
}
int cuModuleGetFunction(void **function, void *module, const char *name) {
    if (module != &loaded) return REFUSED;
    strncpy(kernels[count].name, name, sizeof kernels[count].name - 1);
    kernels[count].shared = DEFAULT_SHARED;
    *function = &kernels[count++];
    return 0;
}
int cuFuncSetAttribute(void *function, int attribute, int value) {
    if (attribute != 8 || value > OFFERED) return REFUSED;  // MAX_DYNAMIC_SHARED_SIZE_BYTES
    ((__typeof__(&kernels[0]))function)->shared = value;
    return 0;
}
int cuOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, void *function, int threads, size_t bytes) {
    *blocks = OFFERED / (int)bytes;
    return 0;
}
int cuLaunchKernel(void *function, unsigned x, unsigned y, unsigned z, unsigned threads, unsigned b,
                   unsigned c, unsigned shared, void *stream, void **params, void **extra) {
    const __typeof__(kernels[0]) *kernel = function;
    if ((int)shared > kernel->shared || b != 1 || c != 1 || extra) return REFUSED;
    printf("%s<<<(%u, %u, %u), %u, %u>>>", kernel->name, x, y, z, threads, shared);
    for (int i = 0; i < sizeof takes / sizeof *takes; i++) {
        if (strcmp(kernel->name, takes[i].name)) continue;
        for (const char *kind = takes[i].kinds; *kind; kind++, params++)
            if (*kind == 'a') printf(" %g", **(float **)*params);
            else if (*kind == 'f') printf(" %g", *(float *)*params);
            else printf(" %d", *(int *)*params);
    }
    printf("\n");
    fflush(stdout);
    return 0;
}
static int does_nothing(void) { return 0; }
int cuGetProcAddress_v2(const char *name, void **function, int version, uint64_t flags, int *status) {
    void *found = dlsym(RTLD_DEFAULT, name);
    *function = found ? found : (void *)does_nothing;
    if (status) *status = 0;
    return 0;
}
int cuGetProcAddress(const char *name, void **function, int version, uint64_t flags) {
    return cuGetProcAddress_v2(name, function, version, flags, 0);
}
