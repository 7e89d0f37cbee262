"""The network of 1989 in one compiled function: weights and activations in registers and L1.

    state = layout.pack(params)                        the eight named arrays, laid out for it
    losses = steps.run(state, x, y, rate, choices)     n steps in order, any batch size
    answers = steps.predict(state, x, choices)
    params = layout.unpack(state.weights)

From below: `lanes`, `shuffles`, `tiles` (vector values and what one does with them), `layout`
(where everything lies), `functions` (tanh and sums), `forward`, `loss`, `backward` (the phases of a
step), `planes` (H2 by other schemes than blocks), `random` (shift and dropout), `example` (a step,
phase by phase), `update` (SGD, AdamW, pseudo-Newton), `batch` (chunks and threads), `steps` (the
verbs), and `peak` (what the machine could do). `choices` are what is decided at compile time.
"""
