// The two kernels, compiled for the choices of a recipe: `learn` and `answer`.
//
// A thread block is one network. Its weights are read from global memory when the launch begins and
// written back when it ends; in between, thousands of presentations touch global memory only for the
// next image, which is asked for a step ahead, and for the loss.
//
// No fast-math: operations happen in the order written, and the compiler may only fuse a
// multiplication with the addition that uses it. So a run repeats bit for bit.
#include "backward.cuh"

constexpr int TARGETS_FROM = 256;  // threads from here fetch targets, those below a pixel each
constexpr int LOSS_THREAD = 64;    // in a warp of its own, so that nobody waits for it

// Weights from global memory; borders around the images, H1 and H2's deltas.
__device__ __forceinline__ void begin(const float* weights, int t) {
    for (int i = t; i < WEIGHTS; i += THREADS) a[i] = weights[i];
    for (int i = X + t; i < Y; i += THREADS) a[i] = BACKGROUND;
    for (int i = A1 + t; i < A2; i += THREADS) a[i] = BACKGROUND;
    if (t < 12 * 8) {  // of each plane the row above, four values, and the row below, four more
        const int value = t % 8;
        a[D2 + t / 8 * D2_PLANE + (value < 4 ? value : value + 16)] = 0.0f;
    }
}

// A pixel or target of a presentation, this thread's own, from global memory.
__device__ __forceinline__ float fetch(const float* x, const float* y, int number, int t) {
    if (t < TARGETS_FROM) return x[256 * number + t];
    return y[10 * number + min(t - TARGETS_FROM, 9)];
}

// Put what fetch() brought where the phases look for it.
__device__ __forceinline__ void keep(float value, int t) {
    if (t < TARGETS_FROM) {
        a[X + (t / 16 + 2) * IMAGE_ROW + t % 16 + 2] = value;
    } else if (t < TARGETS_FROM + 10) {
        a[Y + t - TARGETS_FROM] = value;
    }
}

// Plain SGD from a batch's summed gradients: one sweep over all weights, and the sum begins anew.
__device__ __forceinline__ void descend(float* gradients, float rate, int t) {
    for (int i = t; i < WEIGHTS; i += THREADS) {
        a[i] -= rate * gradients[i];
        gradients[i] = 0.0f;
    }
}

// The same by AdamW with decoupled weight decay (Loshchilov & Hutter 2019), torch's constants, as
// zipnet/reference.py; taken: updates, this one included. 1 - beta^n is -expm1(n log beta), which
// stays exact in float32.
__device__ __forceinline__ void descend_adamw(
    float* gradients, float* first, float* second, float rate, float decay, int taken, int t) {
    const float size = rate / -expm1f(taken * LOG_BETA1);
    const float spread = 1.0f / sqrtf(-expm1f(taken * LOG_BETA2));
    const float kept = 1.0f - rate * decay;
    for (int i = t; i < WEIGHTS; i += THREADS) {
        const float g = gradients[i];
        gradients[i] = 0.0f;
        const float mean = first[i] = OLD_MEAN * first[i] + NEW_MEAN * g;
        const float square = second[i] = OLD_SQUARE * second[i] + NEW_SQUARE * (g * g);
        a[i] = a[i] * kept - size * mean / (sqrtf(square) * spread + EPSILON);
    }
}

// learn<<<replicas, THREADS, SHARED_BYTES>>>: every network takes all the steps.
//
// weights, gradients (zeros), first, second: (replicas, WEIGHTS), updated in place; the last three
// are used where a step is more than one presentation of plain SGD.
// x: (steps * batch, 256), y: (steps * batch, 10); rates: (replicas,) learning rates.
// losses: (replicas, steps), written. taken: updates before this launch.
extern "C" __global__ void __launch_bounds__(THREADS, LEARNERS) learn(
    float* weights, float* gradients, float* first, float* second, const float* __restrict__ x,
    const float* __restrict__ y, const float* __restrict__ rates, float* losses, int steps,
    int batch, float decay, int taken) {
    const int t = threadIdx.x, replica = blockIdx.x, last = steps * batch - 1;
    const float rate = rates[replica];
    weights += replica * WEIGHTS;
    gradients += replica * WEIGHTS;
    float* into = AT_ONCE ? a : gradients;
    const float scale = AT_ONCE ? -rate : 1.0f, share = AT_ONCE ? 1.0f : 1.0f / batch;

    begin(weights, t);
    __syncthreads();
    if (last >= 0) keep(fetch(x, y, 0, t), t);
    for (int step = 0; step < steps; step++) {
        float total = 0.0f;
        for (int one = 0; one < batch; one++) {
            __syncthreads();
            const float ahead = fetch(x, y, min(step * batch + one + 1, last), t);
            forward(t);
            third_deltas(into, scale, t, share);
            if (t == LOSS_THREAD) total += loss(share);
            __syncthreads();
            second_deltas(into, scale, t);
            __syncthreads();
            first_delta_sums(t);
            second_biases_learn(into, scale, t);
            __syncthreads();
            first_deltas(into, scale, t);
            __syncthreads();
            second_weights_learn(into, scale, t);
            first_weight_sums(t);
            __syncthreads();
            first_weights_learn(into, scale, t);
            keep(ahead, t);
        }
        if (!AT_ONCE) {
            __syncthreads();
            if (ADAMW) {
                descend_adamw(gradients, first + replica * WEIGHTS, second + replica * WEIGHTS,
                              rate, decay, taken + step + 1, t);
            } else {
                descend(gradients, rate, t);
            }
        }
        if (t == LOSS_THREAD) losses[replica * steps + step] = total;
    }
    __syncthreads();
    for (int i = t; i < WEIGHTS; i += THREADS) weights[i] = a[i];
}

// answer<<<(blocks, replicas), THREADS, SHARED_BYTES>>>: every network answers every digit.
//
// weights: (replicas, WEIGHTS), x: (digits, 256); out: (replicas, digits, 10), written. Block b of a
// replica answers digits b, b + blocks and so on.
extern "C" __global__ void __launch_bounds__(THREADS) answer(
    const float* __restrict__ weights, const float* __restrict__ x, float* out, int digits) {
    const int t = threadIdx.x, replica = blockIdx.y;
    begin(weights + replica * WEIGHTS, t);
    for (int number = blockIdx.x; number < digits; number += gridDim.x) {
        __syncthreads();
        if (t < TARGETS_FROM) keep(x[256 * number + t], t);
        __syncthreads();
        forward(t);
        if (t < 10) out[10 * (replica * digits + number) + t] = a[AO + t];
    }
}
