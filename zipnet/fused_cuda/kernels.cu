// The two kernels, compiled for the choices of a recipe: `learn` and `answer`.
//
// A thread block is one network. Its weights are read from global memory when the launch begins and
// written back when it ends; in between, thousands of presentations touch global memory only for the
// next image, which is asked for a step ahead, for the loss, and for AdamW's moments.
//
// No fast-math: operations happen in the order written, and the compiler may only fuse a
// multiplication with the addition that uses it. So a run repeats bit for bit.
#include "backward.cuh"

constexpr int TARGETS_FROM = 256;  // threads from here fetch targets, those below a pixel each
constexpr int LOSS_THREAD = 96;    // in a warp without deltas of H1, so that nobody waits for it

// The thread's number as something new in each turn of a loop: else the places of all phases, which
// follow from it, would be worked out before the loop and kept in registers that there are not.
__device__ __forceinline__ void forget(int& t) { asm volatile("" : "+r"(t)); }

// Weights from global memory, this thread's own of H3w into registers; borders around the images, H1
// and H2's deltas; no gradients yet.
__device__ __forceinline__ Row<15> begin(const float* weights, int t) {
    for (int i = t; i < W3; i += THREADS) a[i] = weights[i];
    for (int i = X + t; i < A1 + 12 * A1_PLANE; i += THREADS) a[i] = BACKGROUND;
    if (t < 12 * 8) {  // of each plane the row above, four values, and the row below, four more
        const int value = t % 8;
        a[D2 + t / 8 * D2_PLANE + (value < 4 ? value : value + 16)] = 0.0f;
    }
    if (!AT_ONCE)
        for (int i = t; i < W3; i += THREADS) a[GRADIENTS + i] = 0.0f;
    Row<15> w3;
#pragma unroll
    for (int k = 0; k < 15; k++) w3[k] = weights[W3 + THREADS * k + t];
    return w3;
}

// A pixel or target of a presentation, this thread's own, from global memory.
__device__ __forceinline__ float fetch(const float* x, const float* y, int number, int t) {
    if (t < TARGETS_FROM) return x[256 * number + t];
    return y[10 * number + min(t - TARGETS_FROM, 9)];
}

// Where a presentation lies: the next one is brought while the last one is still looked at.
__device__ __forceinline__ int place_of(int number) { return X + number % 2 * PRESENTED; }

// Put what fetch() brought there.
__device__ __forceinline__ void keep(float value, int place, int t) {
    if (t < TARGETS_FROM) {
        a[place + (t / 16 + 2) * IMAGE_ROW + t % 16 + 2] = value;
    } else if (t < TARGETS_FROM + 10) {
        a[place + IMAGE + t - TARGETS_FROM] = value;
    }
}

// A step from a batch's gradients: plain SGD, or AdamW with decoupled weight decay (Loshchilov &
// Hutter 2019), torch's constants, as zipnet/reference.py. taken: updates, this one included.
// 1 - beta^n is -expm1(n log beta), which stays exact in float32.
struct Descent {
    float rate, size, spread, kept;

    __device__ Descent(float rate, float decay, int taken)
        : rate(rate),
          size(rate / -expm1f(taken * LOG_BETA1)),
          spread(1.0f / sqrtf(-expm1f(taken * LOG_BETA2))),
          kept(1.0f - rate * decay) {}

    // Move a weight by its gradient g. first, second: its moments.
    __device__ __forceinline__ void move(float& w, float g, float* first, float* second) const {
        if (!ADAMW) {
            w -= rate * g;
            return;
        }
        const float mean = *first = OLD_MEAN * *first + NEW_MEAN * g;
        const float square = *second = OLD_SQUARE * *second + NEW_SQUARE * (g * g);
        w = w * kept - size * mean / (sqrtf(square) * spread + EPSILON);
    }
};

// learn<<<replicas, THREADS, shared bytes>>>: every network takes all the steps.
//
// weights, first, second: (replicas, WEIGHTS), updated in place; AdamW alone uses the moments.
// x: (steps * batch, 256), y: (steps * batch, 10); rates: (replicas,) learning rates.
// losses: (replicas, steps), written. taken: updates before this launch.
extern "C" __global__ void __launch_bounds__(THREADS, LEARNERS) learn(
    float* weights, float* first, float* second, const float* __restrict__ x,
    const float* __restrict__ y, const float* __restrict__ rates, float* losses, int steps,
    int batch, float decay, int taken) {
    if (AT_ONCE) batch = 1;
    int t = threadIdx.x;
    const int replica = blockIdx.x, last = steps * batch - 1;
    const float rate = rates[replica];
    const float scale = AT_ONCE ? -rate : 1.0f, share = AT_ONCE ? 1.0f : 1.0f / batch;
    weights += replica * WEIGHTS;
    first += replica * WEIGHTS;
    second += replica * WEIGHTS;

    Row<15> w3 = begin(weights, t), g3 = {};
    __syncthreads();
    if (last >= 0) keep(fetch(x, y, 0, t), place_of(0), t);
    for (int step = 0; step < steps; step++) {
        float total = 0.0f;
        for (int one = 0; one < batch; one++) {
            __syncthreads();
            forget(t);
            const int number = step * batch + one, here = place_of(number);
            const float ahead = fetch(x, y, min(number + 1, last), t);
            const float h2 = forward(w3, t, here);
            outputs_and_back(t, scale, share, here + IMAGE);
            __syncthreads();
            second_deltas(w3, g3, h2, scale, t);
            __syncthreads();
            first_deltas(scale, t);
            if (t == LOSS_THREAD) total += loss(share, here + IMAGE);
            keep(ahead, place_of(number + 1), t);
            __syncthreads();
            second_weights_learn(scale, t);
            first_weights_learn(scale, t, here);
        }
        if (!AT_ONCE) {
            __syncthreads();
            const Descent descent(rate, decay, taken + step + 1);
            for (int i = t; i < W3; i += THREADS) {
                descent.move(a[i], a[GRADIENTS + i], first + i, second + i);
                a[GRADIENTS + i] = 0.0f;
            }
#pragma unroll
            for (int k = 0; k < 15; k++) {
                const int i = W3 + THREADS * k + t;
                descent.move(w3[k], g3[k], first + i, second + i);
                g3[k] = 0.0f;
            }
        }
        if (t == LOSS_THREAD) losses[replica * steps + step] = total;
    }
    __syncthreads();
    for (int i = t; i < W3; i += THREADS) weights[i] = a[i];
#pragma unroll
    for (int k = 0; k < 15; k++) weights[W3 + THREADS * k + t] = w3[k];
}

// answer<<<(blocks, replicas), THREADS, shared bytes>>>: every network answers every digit.
//
// weights: (replicas, WEIGHTS), x: (digits, 256); out: (replicas, digits, 10), written. Block b of a
// replica answers digits b, b + blocks and so on.
extern "C" __global__ void __launch_bounds__(THREADS) answer(
    const float* __restrict__ weights, const float* __restrict__ x, float* out, int digits) {
    int t = threadIdx.x;
    const int replica = blockIdx.y;
    const Row<15> w3 = begin(weights + replica * WEIGHTS, t);
    for (int number = blockIdx.x; number < digits; number += gridDim.x) {
        __syncthreads();
        forget(t);
        if (t < TARGETS_FROM) keep(x[256 * number + t], X, t);
        __syncthreads();
        forward(w3, t, X);
        if (t < 32) {
            output_layer(third_layer(t), t);
            if (t < 10) out[10 * (replica * digits + number) + t] = a[AO + t];
        }
    }
}
