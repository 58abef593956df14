"""What a normaliser is: a layer that normalises one tensor, told where in time it stands."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import keras
from keras import constraints, initializers, regularizers

from seqnorm.kernels import KernelNorm
from seqnorm.ops.moments import Moments
from seqnorm.signatures import NamedArguments, constructors, refuse_unknown


class Context(NamedTuple):
    """Where in time a tensor stands; what a normaliser needs beyond the tensor itself.

    For one step the tensor is float[batch, features]; for a whole sequence (the input product under
    a normaliser that needs all steps at once) float[time, batch, features], and both fields gain
    the leading time axis.

    Attributes:
        index: int32[1] or int32[batch], the age of each row in steps; None where no normaliser
            of the layer depends on time.
        valid: bool[batch, 1], False on padding; None when every row is valid.
        training: whether statistics come from the batch.
    """

    index: Any = None
    valid: Any = None
    training: bool = False


class Normalizer(keras.layers.Layer):
    """Base of all normalisers: `y, moments = normalizer.call(x, context)`.

    `moments` are the batch statistics that the layer folds into the running ones after the loop,
    or None where there is nothing to keep. The call is pure: it assigns nothing.

    Args:
        **kwargs: `name`, `dtype`, `trainable` of the Keras layer.

    Call arguments:
        x: float[..., batch, features].
        context: where in time `x` stands; see `Context`.

    Masking:
        `context.valid` says which rows are padding. A normaliser with statistics leaves those rows
        out of them; one without ignores the mask. What it makes of a padded row itself does not
        matter: the layer keeps that row's output and state.
    """

    time_aware = False  # True: needs the step, the mask and a fold, so only NormRNN can host it
    scale_free = False  # True: N(s x) is N(x) up to epsilon, so that its slope at 0 is 1 / sqrt(ε)
    max_steps = 1  # where time_aware: the number of steps after which all are treated alike
    whole_sequence = False  # True: needs all steps at once, which only the input site can give
    mixes_rows = False  # True: in training a row's result depends on the rows beside it

    __signature__ = NamedArguments(constructors, lambda _: ())

    def __init__(self, **kwargs: Any):
        refuse_unknown(type(self), kwargs)
        super().__init__(**kwargs)

    def at_site(self, site: str, gates: int, center: bool) -> dict[str, Any]:
        """The arguments that were left open, as one site of a cell settles them.

        Args:
            site: name of the site, such as "input" or "recurrent".
            gates: how many gates lie side by side there.
            center: whether the site wants an offset.
        """
        del site, gates, center
        return {}

    def copy(self, **changes: Any) -> Self:
        """One with the same arguments but for `changes`, unbuilt."""
        return self.__class__.from_config({**self.get_config(), **self.objects(), **changes})

    def objects(self) -> dict[str, Any]:
        """The arguments that are objects; a copy shares them: not all can be serialised."""
        return {}

    def call(self, x: Any, context: Context) -> tuple[Any, Moments | None]:
        """Normalise `x`: float[..., batch, features] -> the same shape and dtype."""
        raise NotImplementedError

    def fold(self, moments: Moments, index: Any) -> None:
        """Fold stacked batch moments into the running statistics; called once after the loop."""
        raise NotImplementedError(f"{self.__class__.__name__} keeps no statistics.")

    def keep(self, table: Moments) -> None:
        """Take running statistics that a kernel has folded a batch into, see `KernelNorm.table`."""
        raise NotImplementedError(f"{self.__class__.__name__} keeps no statistics.")

    def to_kernel(self, training: bool) -> KernelNorm:
        """What the fused kernels compute in place of `call`; by default there is no kernel.

        Args:
            training: as the layer is called.
        """
        return KernelNorm()

    def kernel_statistics(self, index: Any) -> Any:
        """Mean and scale of a normaliser that is of kind "fixed" to the kernels.

        Args:
            index: int32[time], the step of each.

        Returns:
            float[time, 2, features]; the scale is 1 / sqrt(variance + epsilon).
        """
        raise NotImplementedError(f"{self.__class__.__name__} keeps no statistics.")


class AffineNormalizer(Normalizer):
    """A normaliser with a gain and an offset per feature, γ ⊙ x̂ + β.

    Args:
        center: whether there is an offset β. None lets the site decide: no offset where a bias
            follows anyway, one on the cell state.
        scale: whether there is a gain γ.
        beta_initializer: initializer of β.
        gamma_initializer: initializer of γ.
        beta_regularizer: regularizer of β.
        gamma_regularizer: regularizer of γ.
        beta_constraint: constraint on β.
        gamma_constraint: constraint on γ.
        **kwargs: `name`, `dtype`, `trainable` of the Keras layer.
    """

    def __init__(
        self,
        center: bool | None = None,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.center = center
        self.scale = scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.gamma = self.beta = None  # until `build`

    def at_site(self, site: str, gates: int, center: bool) -> dict[str, Any]:
        """`center` as the site wants it, unless it was given."""
        return {"center": center} if self.center is None else {}

    def objects(self) -> dict[str, Any]:
        """Initialisers, regularisers and constraints of γ and β."""
        kinds = ("initializer", "regularizer", "constraint")
        names = [f"{variable}_{kind}" for variable in ("beta", "gamma") for kind in kinds]
        return {name: getattr(self, name) for name in names}

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create γ and β, float[features], kept in the variable dtype (never autocast)."""
        width = (input_shape[-1],)
        if self.scale:
            self.gamma = self.add_weight(
                shape=width,
                name="gamma",
                initializer=self.gamma_initializer,
                regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint,
                autocast=False,
            )
        if self.center:
            self.beta = self.add_weight(
                shape=width,
                name="beta",
                initializer=self.beta_initializer,
                regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
                autocast=False,
            )
        self.built = True

    def affine(self, x: Any, dtype: Any) -> Any:
        """γ ⊙ x + β in the dtype of `x`, then cast to `dtype`."""
        if self.gamma is not None:
            x = x * keras.ops.cast(self.gamma, x.dtype)
        if self.beta is not None:
            x = x + keras.ops.cast(self.beta, x.dtype)
        return keras.ops.cast(x, dtype)

    def get_config(self) -> dict[str, Any]:
        """Every constructor argument, serialised."""
        return {
            **super().get_config(),
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": initializers.serialize(self.beta_initializer),
            "gamma_initializer": initializers.serialize(self.gamma_initializer),
            "beta_regularizer": regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": regularizers.serialize(self.gamma_regularizer),
            "beta_constraint": constraints.serialize(self.beta_constraint),
            "gamma_constraint": constraints.serialize(self.gamma_constraint),
        }


class MomentNormalizer(AffineNormalizer):
    """An affine normaliser that divides by the square root of a moment.

    Args:
        epsilon: added to the moment inside the square root.
        **kwargs: see `AffineNormalizer`.

    Raises:
        ValueError: if `epsilon` is negative.
    """

    scale_free = True

    def __init__(self, epsilon: float = 1e-5, **kwargs: Any):
        super().__init__(**kwargs)
        if epsilon < 0:
            raise ValueError(f"`epsilon` must not be negative. Received: epsilon={epsilon}.")
        self.epsilon = epsilon

    def get_config(self) -> dict[str, Any]:
        """Every constructor argument, serialised."""
        return {**super().get_config(), "epsilon": self.epsilon}
