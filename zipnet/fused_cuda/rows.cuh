// Rows of values in registers: how they come from shared memory, meet a 5x5 kernel at stride 2, and
// are added up between the lanes of a warp.
//
// Every index of a Row is known when compiling, or it would lie in slow local memory. WIDE is how
// many values one instruction moves: 4 where the place is a multiple of 4, 2 where it is even.
#pragma once

extern __shared__ __align__(16) float a[];  // the block's; cuda_layout.py says what lies where

template <int N>
struct Row {
    float values[N];
    __device__ float& operator[](int i) { return values[i]; }
    __device__ float operator[](int i) const { return values[i]; }
};

template <int WIDE>
struct alignas(4 * WIDE) Words {
    float values[WIDE];
};

// N neighbours, the first of them in place i.
template <int N, int WIDE = 1>
__device__ __forceinline__ Row<N> row(int i) {
    Row<N> r;
#pragma unroll
    for (int k = 0; k < N; k += WIDE) {
        const Words<WIDE> words = *reinterpret_cast<const Words<WIDE>*>(a + i + k);
#pragma unroll
        for (int j = 0; j < WIDE; j++)
            if (k + j < N) r[k + j] = words.values[j];
    }
    return r;
}

template <int N, int WIDE = 1>
__device__ __forceinline__ void put(int i, const Row<N>& r) {
    static_assert(N % WIDE == 0, "what lies behind the row is not its own");
#pragma unroll
    for (int k = 0; k < N; k += WIDE) {
        Words<WIDE> words;
#pragma unroll
        for (int j = 0; j < WIDE; j++) words.values[j] = r[k + j];
        *reinterpret_cast<Words<WIDE>*>(a + i + k) = words;
    }
}

// Adds to four sums, those from place s on, what a row v gives them through row ky of a kernel w:
// sums[s + x] += sum over k of v[2x + k] * w[5 ky + k].
template <int N>
__device__ __forceinline__ void convolve(
    Row<N>& sums, int s, const Row<11>& v, const Row<25>& w, int ky) {
#pragma unroll
    for (int x = 0; x < 4; x++)
#pragma unroll
        for (int k = 0; k < 5; k++) sums[s + x] += v[2 * x + k] * w[5 * ky + k];
}

// Adds to five gradients of a row of weights those of a row v with deltas d:
// g[k] += sum over x of v[2x + k] * d[x].
__device__ __forceinline__ void correlate(Row<5>& g, const Row<11>& v, const Row<4>& d) {
#pragma unroll
    for (int k = 0; k < 5; k++)
#pragma unroll
        for (int x = 0; x < 4; x++) g[k] += v[2 * x + k] * d[x];
}

// Adds to eight gradients of inputs, those from place b on, what deltas d send back through row ky
// of a kernel w: back[b + j] += sum over x of d[x] * w[5 ky + j + 2 - 2x], where that weight exists;
// 17 multiply-adds, the other three of the 20 would go to the border.
__device__ __forceinline__ void spread(
    Row<16>& back, int b, const Row<4>& d, const Row<25>& w, int ky) {
#pragma unroll
    for (int j = 0; j < 8; j++)
#pragma unroll
        for (int x = 3; x >= 0; x--) {
            const int k = j + 2 - 2 * x;
            if (0 <= k && k < 5) back[b + j] += d[x] * w[5 * ky + k];
        }
}

constexpr unsigned WARP = 0xffffffff;  // all its lanes take part

// Adds up rows of two lanes whose numbers differ in a bit: the lane without it keeps the first half
// of the sums, the lane with it the second. After a fold for each bit, a lane has its own few sums
// over all of them: N values of 32 lanes take about N shuffles instead of 5 N.
template <int N>
__device__ __forceinline__ Row<N / 2> fold(const Row<N>& r, int bit) {
    const bool second = threadIdx.x & bit;
    Row<N / 2> kept;
#pragma unroll
    for (int k = 0; k < N / 2; k++) {
        const float other = __shfl_xor_sync(WARP, second ? r[k] : r[k + N / 2], bit);
        kept[k] = (second ? r[k + N / 2] : r[k]) + other;
    }
    return kept;
}
