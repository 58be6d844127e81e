r"""Lower bounds on the mutual information of block and environment, and what is trained to make them tight.

A critic f(h, e) scores pairs; for K pairs (v_i, e_i), each of another configuration,

    InfoNCE   I ≥ ⟨ (1/K) Σ_i [ Σ_h p(h|v_i) f(h, e_i) − ln Σ_h p̄(h) e^{f(h, e_i)} ] ⟩,        ≤ ln K
    NWJ       I ≥ ⟨ (1/K) Σ_i [ Σ_h p(h|v_i) f(h, e_i) − Σ_h p̄_i(h) e^{f(h, e_i) − 1} ] ⟩

with p̄ the mean of p(h|v_j) over all K pairs (one is the right one, K − 1 are negative samples) and p̄_i over
the others alone (van den Oord, Li & Vinyals 2018; Nguyen, Wainwright & Jordan, IEEE Trans. Inf. Theory 56,
5847, 2010; Poole et al., ICML 2019). The coarse spins h are few, so that they are summed over and never
drawn: for InfoNCE this only lowers the bound (Jensen), the gradient in the rule's weights is exact, and K
pairs cost K evaluations of the critic, not K². Both are equalities for f = ln p(h|e)/p(h) (+ 1 for NWJ) as
K → ∞. The bound of Donsker & Varadhan is left out: with the logarithm of a sample mean it is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, Int32

from intertwine.rg.information.block_window import BlockWindow
from intertwine.sampling.enumeration import all_configurations

Method = Literal["infonce", "nwj"]
METHODS = ("infonce", "nwj")
CRITICS = ("network", "bilinear")
SOFTEST = 10.0


class FilterRule(eqx.Module):
    """p(h|v) = Π_k σ(2 h_k Λ_k·v), with Λ_k the direction of a row of `direction` (hidden, n) at root mean
    square `sharpness`."""

    direction: Float[Array, "h n"]
    sharpness: float = eqx.field(static=True)

    @property
    def weights(self) -> Float[Array, "h n"]:
        """Λ."""
        length = jnp.sqrt(jnp.mean(self.direction**2, 1, keepdims=True))
        return self.sharpness * self.direction / length

    def __call__(self, blocks: Float[Array, "K n"], softness: Array | float = 1.0) -> Float[Array, "K H"]:
        """p(h|v) of every block, h = +1 before −1, with weights divided by `softness`."""
        angles = blocks @ self.weights.T / softness
        signs = jnp.asarray(all_configurations(self.direction.shape[0]), angles.dtype)
        return jnp.exp(jax.nn.log_sigmoid(2 * signs * angles[:, None]).sum(-1))


class TableRule(eqx.Module):
    """p(h|v) looked up: table (2^hidden, 2^n), as `mutual_information` takes it."""

    table: Float[Array, "H V"]

    def __call__(self, blocks: Float[Array, "K n"], softness: Array | float = 1.0) -> Float[Array, "K H"]:
        place = 2 ** jnp.arange(blocks.shape[1] - 1, -1, -1)
        return self.table.T[((blocks < 0) * place).sum(1)]


class Critic(eqx.Module):
    """f of an environment (m,): float32 (2^hidden,), by linear layers with GELU between them. No layer
    between is the bilinear critic, f = A_h·e + b_h."""

    layers: tuple[eqx.nn.Linear, ...]

    def __init__(self, kind: str, environment: int, states: int, width: int, *, key: Array):
        sizes = (environment, *((width, width) if kind == "network" else ()), states)
        keys = jax.random.split(key, len(sizes) - 1)
        self.layers = tuple(
            eqx.nn.Linear(a, b, dtype=jnp.float32, key=k)
            for a, b, k in zip(sizes[:-1], sizes[1:], keys, strict=True)
        )

    def __call__(self, environment: Float[Array, "m"]) -> Float[Array, "H"]:
        x = self.layers[0](environment)
        for layer in self.layers[1:]:
            x = layer(jax.nn.gelu(x))
        return x


class BlockCritic(eqx.Module):
    """A rule p(h|v) and a critic f(h, e): what is trained."""

    rule: FilterRule | TableRule
    critic: Critic


@dataclass(frozen=True)
class InformationObjective:
    """The bound on a mini-batch of configurations, at one placement of the block that is drawn anew for every
    update: all pairs of a batch are of different configurations.

    learned: whether the rule is trained too, or only the critic. anneal: updates in which a filter's weights
    grow to their length, from a tenth of it: with small weights the best direction has no rivals.
    """

    window: BlockWindow
    method: Method
    learned: bool = False
    anneal: int = 0

    value_name = "information"

    def init(self, model: BlockCritic, *, key: Array) -> Int32[Array, ""]:
        """The updates so far."""
        return jnp.zeros((), jnp.int32)

    def gradient(
        self, model: BlockCritic, state: Int32[Array, ""], batch: Float[Array, "K N"], *, key: Array
    ) -> tuple[Any, Int32[Array, ""], dict[str, Array]]:
        """Minus the gradient of the bound, and the bound itself."""
        softness = SOFTEST ** jnp.maximum(1.0 - state / max(self.anneal, 1), 0.0) if self.anneal else 1.0
        inside, outside = jnp.asarray(self.window.inside), jnp.asarray(self.window.outside)
        place = jax.random.randint(key, (), 0, len(inside))

        def loss(whole: BlockCritic) -> Array:
            rule = whole.rule if self.learned else jax.lax.stop_gradient(whole.rule)
            fixed = BlockCritic(rule, whole.critic)
            block, environment = batch[:, inside[place]], batch[:, outside[place]]
            return -bound_terms(fixed, block, environment, self.method, softness).mean()

        value, gradient = jax.value_and_grad(loss)(model)
        return gradient, state + 1, {"information": -value}


def bound_terms(
    model: BlockCritic,
    blocks: Float[Array, "K n"],
    environments: Float[Array, "K m"],
    method: Method,
    softness: Array | float = 1.0,
) -> Float[Array, "K"]:
    """The bracket of the bound for every pair."""
    p = model.rule(blocks, softness)
    f = jax.vmap(model.critic)(environments)
    if method == "infonce":
        return (p * f).sum(1) - jax.nn.logsumexp(f, axis=1, b=p.mean(0))
    others = (p.sum(0) - p) / (len(p) - 1)
    return (p * f).sum(1) - (others * jnp.exp(f - 1)).sum(1)


def held_out_values(
    model: BlockCritic, spins: np.ndarray, window: BlockWindow, method: Method, places: np.ndarray
) -> Float[np.ndarray, " S"]:
    """The bracket for every configuration (S, N), averaged over the placements `places`, float64 (S,)."""
    inside, outside = window.inside[places], window.outside[places]
    return np.asarray(_averaged(model, jnp.asarray(spins), inside, outside, method), np.float64)


@eqx.filter_jit
def _averaged(
    model: BlockCritic, spins: Array, inside: np.ndarray, outside: np.ndarray, method: Method
) -> Array:
    def add(total: Array, sites: tuple[Array, Array]) -> tuple[Array, None]:
        block, environment = (spins[:, s].astype(jnp.float32) for s in sites)
        return total + bound_terms(model, block, environment, method), None

    start = jnp.zeros(len(spins), jnp.float32)
    total, _ = jax.lax.scan(add, start, (jnp.asarray(inside), jnp.asarray(outside)))
    return total / len(inside)
