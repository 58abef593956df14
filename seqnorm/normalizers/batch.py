"""Batch normalisation inside a recurrence, aware of padding and of the step."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from seqnorm.kernels import OF_BATCH, KernelNorm, KernelTable, Mixing
from seqnorm.normalizers.base import Context, MomentNormalizer
from seqnorm.normalizers.small_batch import POLICIES
from seqnorm.ops import backend
from seqnorm.ops.moments import Moments, masked_moments, merge, normalize, pool
from seqnorm.ops.replicas import count_replicas, of_all_replicas
from seqnorm.spelling import one_of

_NUMBERS = (int, float, np.number)
STATISTICS = ("per_step", "shared", "sequence")
INPUT_STATISTICS = ("step", "sequence")


@keras.saving.register_keras_serializable(package="seqnorm")
class BatchNorm(MomentNormalizer):
    """Normalise each feature over the valid rows of the batch, with statistics of its own per step.

        BN_t(x; γ, β) = γ ⊙ (x - μ_t) / sqrt(σ²_t + ε) + β,   μ_t, σ²_t over the rows alive at t

    and, by default, what earlier batches had there (`small_batch`).
    γ and β are shared over time; the running statistics are a table with one row per step. After
    each training batch a row with decayed count N becomes, with n rows seen at that step and
    ρ = momentum (an exact count-weighted average: no bias towards the initial values, and a step
    seen with one row weighs a sixty-fourth of one seen with 64),

        N' = ρN + n,  μ' = μ + (μ_B - μ) n/N',  σ²' = pooled variance of both.

    A step with n = 0 changes nothing. At inference step t reads row min(t, t*), t* being the last
    row whose count reached `min_count` (or the largest count there is, when that is smaller).

    Args:
        epsilon: default 1e-5.
        momentum: ρ, the decay of what earlier batches count; 1 averages over all of them.
        max_steps: rows of the table; later steps share the last row.
        statistics: "per_step"; "shared" keeps one row for all steps (normalising still uses the
            step's own batch moments); "sequence" takes one pair of moments over batch and time,
            which only the input site can, where the whole sequence is known.
        input_statistics: "step" or "sequence": what the copy at the input site uses.
        small_batch: how batch and running moments are mixed, which matters most where few rows are
            alive, see `seqnorm.normalizers.small_batch`: "naive" (the batch's alone, as published),
            "running", "shrink" or "renorm". Default "shrink": the running ones count as `few` rows,
            so that a batch of 64 rows weighs 64 / 72.
        few: number of rows that counts as few there; default 8.
        min_count: rows that a step must have seen for its statistics to be used at inference.
        synchronized: under a strategy of `tf.distribute`, normalise by the rows of all replicas, as
            one device would that had them all; otherwise each replica normalises by its own. The
            table is that of all rows in either case. Default False, as in
            `keras.layers.BatchNormalization`.
        gamma_initializer: 0.1 (Cooijmans et al., section 4: larger gains make the gradient vanish).
        **kwargs: see `AffineNormalizer`.

    Masking:
        Padding enters neither moments nor counts. The mask must be right-padded, so that step t
        means the same for every row; `NormRNN` checks it.

    Raises:
        ValueError: for an unknown option or a number out of its range.

    Examples:
        >>> import numpy as np
        >>> from seqnorm import NormLSTM, normalizers
        >>> layer = NormLSTM(8, norm=normalizers.BatchNorm(max_steps=50, small_batch="running"))
        >>> tuple(layer(np.ones((4, 5, 3), "float32"), training=True).shape)
        (4, 8)
        >>> table = layer.cell.normalizers["recurrent"]
        >>> tuple(table.moving_mean.shape), np.array(table.count)[3:7, 0].tolist()
        ((50, 32), [4.0, 4.0, 0.0, 0.0])

    References:
        Cooijmans et al., "Recurrent Batch Normalization", 2016, arXiv:1603.09025.
        Laurent et al., "Batch Normalized Recurrent Neural Networks", 2015, arXiv:1510.01378
        (sequence-wise statistics).
    """

    time_aware = True
    mixes_rows = True

    def __init__(
        self,
        epsilon: float = 1e-5,
        momentum: float = 0.99,
        max_steps: int = 256,
        statistics: str = "per_step",
        input_statistics: str = "step",
        small_batch: str = "shrink",
        few: float = 8.0,
        min_count: float = 16.0,
        synchronized: bool = False,
        gamma_initializer: Any = None,
        **kwargs: Any,
    ):
        if gamma_initializer is None:
            gamma_initializer = keras.initializers.Constant(0.1)
        super().__init__(epsilon=epsilon, gamma_initializer=gamma_initializer, **kwargs)
        _check_choice("statistics", statistics, STATISTICS)
        _check_choice("input_statistics", input_statistics, INPUT_STATISTICS)
        _check_choice("small_batch", small_batch, POLICIES)
        if not 0 <= momentum <= 1:
            raise ValueError(f"`momentum` must lie in [0, 1]. Received: momentum={momentum}.")
        if max_steps < 1:
            raise ValueError(f"`max_steps` must be at least 1. Received: max_steps={max_steps}.")
        if not (few >= 0 and min_count >= 0):  # NaN is refused as well
            raise ValueError(
                "`few` and `min_count` must not be negative. "
                f"Received: few={few}, min_count={min_count}."
            )
        self.momentum = momentum
        self.max_steps = max_steps
        self.statistics = statistics
        self.input_statistics = input_statistics
        self.small_batch = small_batch
        self.few = few
        self.min_count = min_count
        self.synchronized = synchronized

    def at_site(self, site: str, gates: int, center: bool) -> dict[str, Any]:
        """At an input site the statistics are `input_statistics`, where these are a choice.

        Raises:
            ValueError: if moments over the whole sequence are asked for where they cannot be had.
        """
        joint = site.startswith("joint") and self.input_statistics == "sequence"
        if joint or (self.statistics == "sequence" and not site.startswith("input")):
            raise ValueError(
                "Moments over the whole sequence are known before the loop, for the input product "
                f"only. Received: statistics={self.statistics!r}, input_statistics="
                f"{self.input_statistics!r} at the site {site!r}. Use input_statistics='sequence' "
                "with placement='separate', or sites=['input']."
            )
        settled = super().at_site(site, gates, center)
        whole = site.startswith("input") and self.input_statistics == "sequence"
        return {**settled, "statistics": "sequence"} if whole else settled

    @property
    def whole_sequence(self) -> bool:  # type: ignore[override]
        """Whether one pair of moments is taken over batch and time."""
        return self.statistics == "sequence"

    @property
    def num_rows(self) -> int:
        """Rows of the table of running statistics."""
        return self.max_steps if self.statistics == "per_step" else 1

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create γ, β and the table: moving_mean, moving_variance [rows, features], count."""
        super().build(input_shape)
        # Statistics need float32 even where the policy keeps weights in half precision.
        dtype = "float64" if self.variable_dtype == "float64" else "float32"
        for name, width, initializer in (
            ("moving_mean", input_shape[-1], "zeros"),
            ("moving_variance", input_shape[-1], "ones"),
            ("count", 1, "zeros"),
        ):
            weight = self.add_weight(
                shape=(self.num_rows, width),
                name=name,
                initializer=initializer,
                dtype=dtype,
                trainable=False,
                autocast=False,
                aggregation="only_first_replica",  # `fold` gives each replica the same
            )
            setattr(self, name, weight)

    def call(self, x: Any, context: Context) -> tuple[Any, Moments | None]:
        """Normalise float[..., batch, features]: by the batch in training, else by the table.

        `trainable=False` freezes the layer: it then uses the table in training as well, as Keras's
        BatchNormalization does.
        """
        if self._is_fixed(context.training):
            known = self.running(self.trusted_row(context.index))
            return self._apply(x, known.mean, known.variance), None
        axis = (-3, -2) if self.statistics == "sequence" else -2
        batch = masked_moments(x, context.valid, axis)
        if self.synchronized:
            batch = of_all_replicas(batch)
        known = self.running(self.row(context.index)) if self.small_batch != "naive" else batch
        mean, variance = POLICIES[self.small_batch](batch, known, self.few, self.epsilon)
        seen = Moments(*(ops.stop_gradient(value) for value in batch))
        return self._apply(x, mean, variance), seen

    def fold(self, moments: Moments, index: Any) -> None:
        """Fold one batch, that of all replicas, into the table.

        Args:
            moments: stacked over time: mean, variance [time, 1, features], count [time, 1, 1]
                (time = 1 for sequence-wise statistics).
            index: int32[time], the step of each row of `moments`.
        """
        flat = Moments(*(ops.cast(ops.squeeze(m, 1), self.count.dtype) for m in moments))
        rows = self.row(index)[: ops.shape(flat.count)[0]]
        batch = pool(flat, rows, self.num_rows)
        if not self.synchronized:
            batch = of_all_replicas(batch)
        known = Moments(*(ops.convert_to_tensor(variable) for variable in self._table))
        new = merge(known._replace(count=known.count * self.momentum), batch)
        pairs = zip(new, known, strict=True)
        for variable, pair in zip(self._table, pairs, strict=True):
            variable.assign(ops.where(batch.count > 0, *pair))

    def keep(self, table: Moments) -> None:
        """Make it the running statistics: mean and variance [rows, features], count [rows, 1]."""
        for variable, value in zip(self._table, table, strict=True):
            backend.assign(variable, value)

    @property
    def _table(self) -> tuple[Any, Any, Any]:
        return self.moving_mean, self.moving_variance, self.count

    def row(self, index: Any) -> Any:
        """The row of the table that step `index` belongs to."""
        return ops.minimum(index, self.num_rows - 1)

    def trusted_row(self, index: Any) -> Any:
        """The row whose statistics step `index` is normalised by at inference."""
        count = self.count[:, 0]
        enough = count >= ops.minimum(self.min_count, ops.max(count))
        last = ops.max(ops.where(enough, ops.arange(self.num_rows, dtype="int32"), 0))
        return ops.minimum(index, last)

    def running(self, row: Any) -> Moments:
        """Running moments of `row` int32[...]: mean, variance [..., features], count [..., 1]."""
        return Moments(*(ops.take(values, row, axis=0) for values in self._table))

    def _is_fixed(self, training: bool) -> bool:
        """Whether the table normalises, and not the batch."""
        return not (training and self.trainable)

    def to_kernel(self, training: bool) -> KernelNorm:
        """By the batch at each step, or by given moments; sequence-wise ones need the loop."""
        kind = "renorm" if self.small_batch == "renorm" else "batch"
        if self._is_fixed(training):
            kind = "fixed"
        elif self.synchronized and count_replicas() > 1:
            kind = ""
        if self.whole_sequence:
            kind = "sequence-wise batch statistics"
        if not all(isinstance(value, _NUMBERS) for value in (self.few, self.momentum)):
            kind = "batch statistics with a momentum that is no number"
        table = None
        if self.built and kind in OF_BATCH:
            mixing = Mixing(self.small_batch, float(self.few), float(self.momentum))
            own = getattr(self.fold, "__func__", None) is not BatchNorm.fold
            table = KernelTable(*self._table, mixing, keeps=not own)
        return KernelNorm(kind, self.epsilon, gain=self.gamma, offset=self.beta, table=table)

    def kernel_statistics(self, index: Any) -> Any:
        """Mean and scale where the table normalises."""
        known = self.running(self.trusted_row(index))
        return ops.stack([known.mean, ops.rsqrt(known.variance + self.epsilon)], axis=1)

    def _apply(self, x: Any, mean: Any, variance: Any) -> Any:
        return self.affine(normalize(x, mean, variance, self.epsilon), x.dtype)

    def get_config(self) -> dict[str, Any]:
        """Every constructor argument, serialised."""
        return {
            **super().get_config(),
            "momentum": self.momentum,
            "max_steps": self.max_steps,
            "statistics": self.statistics,
            "input_statistics": self.input_statistics,
            "small_batch": self.small_batch,
            "few": self.few,
            "min_count": self.min_count,
            "synchronized": self.synchronized,
        }


def _check_choice(name: str, value: str, choices: Any) -> None:
    if value not in choices:
        raise ValueError(f"Unknown `{name}`. Received: {name}={value!r}. {one_of(value, choices)}")
