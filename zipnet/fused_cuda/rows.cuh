// Rows of values in registers, and the three ways in which a 5x5 kernel at stride 2 meets them.
//
// Every index of a Row is known when compiling, or it would lie in slow local memory. A convolution
// makes four outputs from eleven inputs at a time, with 20 multiply-adds for the 16 values that it
// loads, or fewer where planes share the inputs.
#pragma once

extern __shared__ float a[];  // the block's shared memory; cuda_layout.py says what lies where

template <int N>
struct Row {
    float values[N];
    __device__ float& operator[](int i) { return values[i]; }
    __device__ float operator[](int i) const { return values[i]; }
};

// N neighbours, the first of them in place i.
template <int N>
__device__ __forceinline__ Row<N> row(int i) {
    Row<N> r;
#pragma unroll
    for (int k = 0; k < N; k++) r[k] = a[i + k];
    return r;
}

template <int N>
__device__ __forceinline__ void put(int i, const Row<N>& r) {
#pragma unroll
    for (int k = 0; k < N; k++) a[i + k] = r[k];
}

// Adds to four sums what a row v gives them through a row of weights w:
// s[x] += sum over k of v[2x + k] * w[k].
__device__ __forceinline__ void convolve(Row<4>& s, const Row<11>& v, const Row<5>& w) {
#pragma unroll
    for (int x = 0; x < 4; x++)
#pragma unroll
        for (int k = 0; k < 5; k++) s[x] += v[2 * x + k] * w[k];
}

// Adds to five gradients of a row of weights those of a row v with deltas d:
// g[k] += sum over x of v[2x + k] * d[x].
__device__ __forceinline__ void correlate(Row<5>& g, const Row<11>& v, const Row<4>& d) {
#pragma unroll
    for (int k = 0; k < 5; k++)
#pragma unroll
        for (int x = 0; x < 4; x++) g[k] += v[2 * x + k] * d[x];
}

// Adds to eight gradients of a row of inputs what deltas d send back through a row of weights w:
// b[j] += sum over x of d[x] * w[j + 2 - 2x], where that weight exists; 17 multiply-adds, the other
// three of the 20 would go to the border.
__device__ __forceinline__ void spread(Row<8>& b, const Row<4>& d, const Row<5>& w) {
#pragma unroll
    for (int j = 0; j < 8; j++)
#pragma unroll
        for (int x = 3; x >= 0; x--) {
            const int k = j + 2 - 2 * x;
            if (0 <= k && k < 5) b[j] += d[x] * w[k];
        }
}
