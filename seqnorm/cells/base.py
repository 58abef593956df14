"""What the cells share: options, normalisers at their sites, the two products, zoneout."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import keras
from keras import ops

from seqnorm import normalizers
from seqnorm.cells import variants
from seqnorm.cells.first_state import INIT_STATES, FirstState
from seqnorm.cells.sites import Site, SiteNorms, chosen_sites
from seqnorm.kernels import KernelCell
from seqnorm.normalizers import Context, Identity, Normalizer
from seqnorm.ops.products import dropped_matmul
from seqnorm.signatures import Default, NamedArguments, constructors, refuse_unknown
from seqnorm.spelling import one_of

LAYER = Default("layer")
_IDENTITY = Identity(name="identity")

# Told of the cell at each `call`, which only a loop other than `NormRNN`'s makes.
watchers: list[Callable[[NormCell], None]] = []


class NormCell(FirstState):
    """Mixin that gives a Keras cell normalisers; it comes before the Keras cell in the bases.

    A subclass states `NAME`, `SITES` and its `OPTIONS`, and writes `step`. The first of its states
    is h, the output of the step before: `recurrent` gets it, and zoneout holds it.

    Args:
        units: width of the state.
        norm: a name, a dict or a normaliser as for `seqnorm.normalizers.get`, of which every site
            gets a fresh copy in the cell's dtype. "none" or None normalises nothing. Default
            "layer", or that of the variant.
        variant: name of a published cell to be, see `seqnorm.cells.variants`; it sets the arguments
            that are not given.
        sites: the sites that are normalised, a subset of "input" (x W), "recurrent" (h U) and, for
            the LSTM, "state" (c). Default all of them; an unselected site holds `Identity`.
        placement: "separate" normalises each product, N(x W) + N(h U); "joint" their sum,
            N(x W + h U). Default "separate".
        zoneout: probability that a unit of a state keeps its value of the step before; a list gives
            one per state (LSTM: h, c). At inference the expectation is taken (Krueger et al., 2016,
            arXiv:1606.01305). Default 0.
        init_state: the state before the first step. "rest", zeros, and as long as a row's state is
            nothing but zeros it passes no gradient on (see `FirstState`); "zeros", as published:
            zeros with their exact gradient, which sequences that begin with zeros make infinite;
            "learned", one trained vector for all rows; "noise", drawn for every row in training,
            zeros at inference, which norm="batch" needs where all rows of a batch begin with zeros.
            Default "rest".
        init_stddev: standard deviation of the noise, or of what is learned before it is trained.
            Default 0.1.
        **options: the subclass's own options, and every argument of the Keras cell.

    Raises:
        ValueError: for an unknown option value, a negative `init_stddev`, or a joint norm without
            both products.
    """

    NAME: ClassVar[str]
    SITES: ClassVar[dict[str, Site]]
    SELECTABLE: ClassVar[tuple[str, ...]] = ("input", "recurrent")
    OPTIONS: ClassVar[dict[str, Any]] = {
        "norm": "layer",
        "sites": None,
        "placement": "separate",
        "zoneout": 0.0,
        "init_state": "rest",
        "init_stddev": 0.1,
    }
    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {
        "placement": ("separate", "joint"),
        "init_state": INIT_STATES,
    }
    SETTLED: ClassVar[tuple[str, ...]] = ()  # arguments that a ready-made cell does not take

    __signature__ = NamedArguments(constructors, lambda cell: cell.SETTLED)

    def __init__(
        self,
        units: int,
        norm: Any = LAYER,
        *,
        variant: str | None = None,
        sites: Any = None,
        placement: str | None = None,
        zoneout: Any = None,
        init_state: str | None = None,
        init_stddev: float | None = None,
        **options: Any,
    ):
        options.update(norm=norm, sites=sites, placement=placement, zoneout=zoneout)
        options.update(init_state=init_state, init_stddev=init_stddev)
        given = {name: value for name, value in options.items() if self._is_given(name, value)}
        settled = {**self.OPTIONS, **variants.preset(self.NAME, variant), **given}
        own = {name: settled.pop(name) for name in self.OPTIONS}
        refuse_unknown(type(self), settled)
        super().__init__(units, **settled)
        # Past Keras's tracking: a template to copy and to serialise, no part of the model.
        object.__setattr__(self, "norm", normalizers.get(own.pop("norm")))
        self.sites = chosen_sites(own.pop("sites"), self.SELECTABLE)
        self.zoneout = _rates(own.pop("zoneout"), len(self._states()))
        for name, value in own.items():
            setattr(self, name, value)
        self._check_options()
        for name, site in self._chosen().items():
            own_copy = self.norm.copy(
                **self.norm.at_site(name, site.gates, site.center),
                name=site.attribute,
                dtype=self.dtype_policy,
                trainable=self.trainable and self.norm.trainable,
            )
            setattr(self, site.attribute, own_copy)

    def _is_given(self, name: str, value: Any) -> bool:
        """None leaves our own options open; of the norm and of Keras's arguments it is a value."""
        if name == "norm":
            return value is not LAYER
        return value is not None or name not in self.OPTIONS

    def _states(self) -> list[int]:
        return keras.tree.flatten(self.state_size)

    def _check_options(self) -> None:
        for option, choices in self.CHOICES.items():
            if getattr(self, option) not in choices:
                raise ValueError(
                    f"Unknown `{option}`. Received: {option}={getattr(self, option)!r}. "
                    f"{one_of(getattr(self, option), choices)}"
                )
        if not self.init_stddev >= 0:
            raise ValueError(
                "`init_stddev` must not be negative. "
                f"Received: init_stddev={self.init_stddev}. 0.1 is the default."
            )
        if self.placement == "joint" and not {"input", "recurrent"} <= set(self.sites):
            raise ValueError(
                "placement='joint' normalises x W + h U, so `sites` must hold both 'input' and "
                f"'recurrent'. Received: sites={self.sites}. Add them, or use 'separate'."
            )

    def normalized_sites(self) -> set[str]:
        """Names in `SITES` that hold the normaliser; the others hold `Identity`."""
        if self.placement == "separate":
            return set(self.sites)
        return set(self.sites) - {"input", "recurrent"} | {"joint"}

    def _chosen(self) -> dict[str, Site]:
        names = self.normalized_sites()
        return {name: site for name, site in self.SITES.items() if name in names}

    @property
    def normalizers(self) -> Mapping[str, Normalizer]:
        """The normaliser of every site, `Identity` included."""
        # Not a dict: Keras's saving would walk it and name the weights after it.
        chosen = {name: getattr(self, site.attribute) for name, site in self._chosen().items()}
        return MappingProxyType({**dict.fromkeys(self.SITES, _IDENTITY), **chosen})

    @property
    def time_aware(self) -> bool:
        """Whether some normaliser must be told step and mask."""
        return any(normalizer.time_aware for normalizer in self.normalizers.values())

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the Keras cell's weights, those of the normalisers, then the learned state."""
        super().build(input_shape)
        self.build_normalizers()
        self.built = True

    def build_normalizers(self) -> None:
        """The normalisers' weights and the learned state, for a cell with a `build` of its own."""
        for site in self._chosen().values():
            getattr(self, site.attribute).build((None, site.gates * self.units))
        self.build_first_state()

    def project(self, inputs: Any, norm: SiteNorms) -> Any:
        """N(x W), which no state enters: for one step or, time-major, for all of them at once.

        Args:
            inputs: float[..., batch, features].
            norm: the normalisers bound to the same moments.

        Returns:
            float[..., batch, gates * units], or several tensors that make this up together.
        """
        masks = self.get_dropout_mask(inputs) if norm.training else None
        return norm("input", dropped_matmul(inputs, self.kernel, masks))

    def recurrent(self, h: Any, norm: SiteNorms) -> Any:
        """N(h U): float[batch, units] -> float[batch, gates * units]."""
        masks = self.get_recurrent_dropout_mask(h) if norm.training else None
        return norm("recurrent", dropped_matmul(h, self.recurrent_kernel, masks))

    def offset(self) -> Any:
        """What is added to every pre-activation: b, float[gates * units], or None."""
        return self.bias

    def preactivation(self, a_t: Any, h: Any, norm: SiteNorms) -> Any:
        """The gates' common input: N_joint(a_t + N(h U)) + b.

        Raises:
            ValueError: if the cell's `SITES` lack "recurrent" or "joint".
        """
        if not {"recurrent", "joint"} <= self.SITES.keys():
            raise ValueError(
                "`preactivation` normalises at the sites 'recurrent' and 'joint', which `SITES` "
                f"must hold beside 'input'. Received: SITES={[*self.SITES]}. Add them, as "
                "NormSimpleRNNCell has them."
            )
        z, offset = norm("joint", a_t + self.recurrent(h, norm)), self.offset()
        return z if offset is None else z + offset

    def step(self, a_t: Any, states: list[Any], norm: SiteNorms) -> tuple[Any, list[Any]]:
        """One step: projected input and states to output and new states, `states[0]` being h."""
        raise NotImplementedError

    def to_kernel(self) -> KernelCell:
        """What the fused kernels compute in place of `step`; by default there is no kernel."""
        return KernelCell()

    def kernel_offsets(self) -> tuple[Any, Any]:
        """What the kernels add to N(x W) and, where that stays apart, to N(h U); None: nothing."""
        return self.offset(), None

    def advance(
        self, a_t: Any, states: list[Any], norm: SiteNorms, kept: Any = None
    ) -> tuple[Any, list[Any]]:
        """`step`, then zoneout, then what `at_rest` makes of the states' gradient.

        Args:
            a_t: float[batch, gates * units], what `project` gave.
            states: list of float[batch, units].
            norm: the normalisers bound to this moment.
            kept: float[batch, all states' units], 1 where a unit keeps its value, from `draw_kept`.
        """
        output, new = self.step(a_t, states, norm)
        if not any(self.zoneout):
            return output, self.at_rest(new)
        shares = list(self.zoneout) if kept is None else ops.split(kept, len(new), axis=-1)
        new = [p * s + (1 - p) * n for n, s, p in zip(new, states, shares, strict=True)]
        return new[0], self.at_rest(new)

    def draw_kept(self, shape: tuple[Any, ...], training: bool) -> Any:
        """Zoneout's masks for `shape`, such as (time, batch); None where nothing is drawn."""
        if not (training and any(self.zoneout)):
            return None
        draws = [
            keras.random.uniform((*shape, self.units), seed=self.seed_generator) < rate
            for rate in self.zoneout
        ]
        return ops.cast(ops.concatenate(draws, axis=-1), self.compute_dtype)

    def call(self, inputs: Any, states: Any, training: bool = False) -> tuple[Any, Any]:
        """One step in Keras's cell protocol, for use in a plain `keras.layers.RNN`.

        Raises:
            ValueError: if a normaliser needs the step and the mask, which Keras does not pass on;
                on JAX if zoneout is to be drawn, as Keras would trace one step and draw once; if
                the first state is to be noise, as Keras asks for it without saying whether it
                trains.
        """
        if self.time_aware:
            raise ValueError(
                "A per-step normaliser needs the time step and the mask, which keras.layers.RNN "
                f"does not tell its cell. Received: norm={self.norm.__class__.__name__} in "
                f"{self.__class__.__name__}. Use seqnorm.NormRNN(cell) instead."
            )
        if training and any(self.zoneout) and keras.backend.backend() == "jax":
            raise ValueError(
                "On JAX keras.layers.RNN draws once for all steps, and zoneout needs a draw for "
                f"each. Received: zoneout={self.zoneout} in {self.__class__.__name__}. Use "
                "seqnorm.NormRNN(cell) instead."
            )
        if training and self.init_state == "noise":
            raise ValueError(
                "keras.layers.RNN does not tell its cell whether it trains when it asks for the "
                "first state, and noise is drawn in training only. Received: init_state='noise' in "
                f"{self.__class__.__name__}. Use seqnorm.NormRNN(cell) instead."
            )
        for watcher in tuple(watchers):
            watcher(self)
        nested = isinstance(states, (list, tuple))
        norm = SiteNorms(self.normalizers, Context(training=bool(training)))
        kept = self.draw_kept((ops.shape(inputs)[0],), norm.training)
        a_t = self.project(inputs, norm)
        output, new = self.advance(a_t, list(states) if nested else [states], norm, kept)
        return output, new if nested else new[0]

    def get_config(self) -> dict[str, Any]:
        """Every constructor argument, serialised; a variant as the arguments that it set."""
        own = {name: getattr(self, name) for name in self.OPTIONS}
        own["norm"] = keras.saving.serialize_keras_object(self.norm)
        own["sites"] = list(self.sites)
        own["zoneout"] = list(self.zoneout)
        return {**super().get_config(), **own}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """The cell that `get_config` described."""
        config = dict(config)
        config["norm"] = keras.saving.deserialize_keras_object(config["norm"])
        return cls(**config)


def _rates(zoneout: Any, states: int) -> tuple[float, ...]:
    rates = tuple(zoneout) if isinstance(zoneout, (list, tuple)) else (zoneout,) * states
    if len(rates) != states or not all(0 <= rate < 1 for rate in rates):
        raise ValueError(
            f"`zoneout` must be one rate in [0, 1), or a list of {states}. "
            f"Received: zoneout={zoneout}."
        )
    return rates
