"""What the cells share: sites, the normalisers at them, and the two products."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import keras
from keras import ops

from seqnorm import normalizers
from seqnorm.normalizers import Context, Identity, Normalizer
from seqnorm.ops.moments import Moments, masked_moments

if TYPE_CHECKING:
    from typing import Any as KerasCell  # the Keras cell that stands beside the mixin
else:
    KerasCell = object

PLACEMENTS = ("separate", "joint")


class Site(NamedTuple):
    """A place in a cell where a normaliser can stand.

    Attributes:
        attribute: the cell's attribute that holds the normaliser.
        width: number of features there, in multiples of `units`.
        center: whether a normaliser that leaves it open gets an offset there.
    """

    attribute: str
    width: int
    center: bool


class SiteNorms:
    """The normalisers of one cell bound to one moment: `norm(site, x) -> x normalised`.

    A cell calls it and thereby sees neither step nor mask nor training flag. The batch moments that
    the normalisers return collect in `moments`, those of the tensors that reach them in `observed`.

    Args:
        sites: normaliser of each site.
        context: where in time the tensors stand.
        observe: whether to fill `observed`, which the plain run does not pay for.
    """

    def __init__(self, sites: Mapping[str, Normalizer], context: Context, observe: bool = False):
        self.sites = sites
        self.context = context
        self.moments: dict[str, Moments] = {}
        self.observed: dict[str, Moments] | None = {} if observe else None

    @property
    def training(self) -> bool:
        """Whether dropout is on."""
        return self.context.training

    def __call__(self, site: str, x: Any) -> Any:
        """Normalise float[..., batch, features] at `site`."""
        if self.observed is not None:
            self.observed[site] = masked_moments(x, self.context.valid)
        y, moments = self.sites[site].call(x, self.context)
        if moments is not None:
            self.moments[site] = moments
        return y


class NormCell(KerasCell):
    """Mixin that gives a Keras cell normalisers; it comes before the Keras cell in the bases.

    A subclass states its `SITES`, the sites that `sites=None` means, and writes `step`.

    Args:
        units: width of the state.
        norm: what `seqnorm.normalizers.get` takes: a name, a dict or a normaliser. Every site
            gets a fresh copy.
        sites: the sites that are normalised, a subset of "input" (x W), "recurrent" (h U) and, for
            LSTM, "state" (c). None means all of them. An unselected site holds `Identity`.
        placement: "separate" normalises each product, N(x W) + N(h U); "joint" their sum,
            N(x W + h U).
        **kwargs: every argument of the Keras cell.

    Raises:
        ValueError: for an unknown site or placement, or a joint norm without both products.
    """

    SITES: ClassVar[dict[str, Site]]
    SELECTABLE: ClassVar[tuple[str, ...]] = ("input", "recurrent")

    def __init__(
        self,
        units: int,
        norm: Any = "layer",
        *,
        sites: Sequence[str] | None = None,
        placement: str = "separate",
        **kwargs: Any,
    ):
        super().__init__(units, **kwargs)
        # Past Keras's tracking: a template to copy and to serialise, no part of the model.
        object.__setattr__(self, "norm", normalizers.get(norm))
        self.placement = placement
        self.sites = self.SELECTABLE if sites is None else tuple(sites)
        self._check_sites()
        for name, site in self.SITES.items():
            template = self.norm if name in self._normalized_sites() else Identity()
            config = template.at_site(name, site.center).get_config()
            config.update(name=site.attribute, dtype=self.dtype_policy)
            setattr(self, site.attribute, template.__class__.from_config(config))

    def _check_sites(self) -> None:
        unknown = [site for site in self.sites if site not in self.SELECTABLE]
        if unknown:
            raise ValueError(
                f"`sites` must be a subset of {self.SELECTABLE}. Received: sites={self.sites}."
            )
        if self.placement not in PLACEMENTS:
            raise ValueError(
                "Unknown `placement`. "
                f"Received: placement={self.placement!r}. Choose one of: {', '.join(PLACEMENTS)}."
            )
        if self.placement == "joint" and not {"input", "recurrent"} <= set(self.sites):
            raise ValueError(
                "placement='joint' normalises x W + h U, so `sites` must hold both 'input' and "
                f"'recurrent'. Received: sites={self.sites}. Add them, or use 'separate'."
            )

    def _normalized_sites(self) -> set[str]:
        """Names in `SITES` that get the normaliser rather than `Identity`."""
        if self.placement == "separate":
            return set(self.sites)
        return set(self.sites) - {"input", "recurrent"} | {"joint"}

    @property
    def normalizers(self) -> Mapping[str, Normalizer]:
        """The normaliser of every site, `Identity` included."""
        # Not a dict: Keras's saving would walk it and name the weights after it.
        return MappingProxyType(
            {name: getattr(self, site.attribute) for name, site in self.SITES.items()}
        )

    @property
    def time_aware(self) -> bool:
        """Whether some normaliser must be told step and mask."""
        return any(normalizer.time_aware for normalizer in self.normalizers.values())

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the Keras cell's weights, then those of the normalisers."""
        super().build(input_shape)
        for site in self.SITES.values():
            getattr(self, site.attribute).build((None, site.width * self.units))
        self.built = True

    def project(self, inputs: Any, norm: SiteNorms) -> Any:
        """N(x W), which no state enters: for one step or, time-major, for all of them at once.

        Args:
            inputs: float[..., batch, features].
            norm: the normalisers bound to the same moments.

        Returns:
            float[..., batch, gates * units].
        """
        masks = self.get_dropout_mask(inputs) if norm.training else None
        return norm("input", _product(inputs, self.kernel, masks))

    def preactivation(self, a_t: Any, h: Any, norm: SiteNorms) -> Any:
        """The gates' common input: N_joint(a_t + N_recurrent(h U)) + b."""
        masks = self.get_recurrent_dropout_mask(h) if norm.training else None
        z = norm("joint", a_t + norm("recurrent", _product(h, self.recurrent_kernel, masks)))
        return z if self.bias is None else z + self.bias

    def step(self, a_t: Any, states: list[Any], norm: SiteNorms) -> tuple[Any, list[Any]]:
        """One step: projected input and states to output and new states."""
        raise NotImplementedError

    def call(self, inputs: Any, states: Any, training: bool = False) -> tuple[Any, Any]:
        """One step in Keras's cell protocol, for use in a plain `keras.layers.RNN`.

        Raises:
            ValueError: if a normaliser needs the step and the mask, which Keras does not pass on.
        """
        if self.time_aware:
            raise ValueError(
                "A per-step normaliser needs the time step and the mask, which keras.layers.RNN "
                f"does not tell its cell. Received: norm={self.norm.__class__.__name__} in "
                f"{self.__class__.__name__}. Use seqnorm.NormRNN(cell) instead."
            )
        norm = SiteNorms(self.normalizers, Context(training=bool(training)))
        nested = isinstance(states, (list, tuple))
        output, new = self.step(
            self.project(inputs, norm), list(states) if nested else [states], norm
        )
        return output, new if nested else new[0]

    def get_config(self) -> dict[str, Any]:
        """Every constructor argument, serialised."""
        return {
            **super().get_config(),
            "norm": keras.saving.serialize_keras_object(self.norm),
            "sites": list(self.sites),
            "placement": self.placement,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """The cell that `get_config` described."""
        config = dict(config)
        config["norm"] = keras.saving.deserialize_keras_object(config["norm"])
        return cls(**config)


def _product(x: Any, kernel: Any, masks: Any) -> Any:
    """X W; with dropout (x ⊙ m) W, or each gate's own (x ⊙ m_k) W_k when there is a list of masks.

    `recurrent_dropout` needs one mask per gate: a shared one keeps larger rates from converging
    (keras-team/keras#20276).
    """
    if masks is None:
        return _matmul(x, kernel)
    if not isinstance(masks, (list, tuple)):
        return _matmul(x * masks, kernel)
    gates = ops.split(kernel, len(masks), axis=-1)
    products = [_matmul(x * m, gate) for m, gate in zip(masks, gates, strict=True)]
    return ops.concatenate(products, axis=-1)


def _matmul(x: Any, kernel: Any) -> Any:
    """X W as one product of two matrices, however many axes `x` has."""
    kernel = ops.convert_to_tensor(kernel)  # in the compute dtype, under Keras's autocast
    x = ops.cast(x, kernel.dtype)
    if len(x.shape) == 2:
        return ops.matmul(x, kernel)
    product = ops.matmul(ops.reshape(x, (-1, x.shape[-1])), kernel)
    return ops.reshape(product, (*ops.shape(x)[:-1], kernel.shape[-1]))
