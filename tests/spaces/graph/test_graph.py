"""Graphs: what they are made of, their bonds, and where they stand in for lattices."""

import copy
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import intertwine as it
from intertwine._checks import InputError
from intertwine.spaces import lattice_from_name
from intertwine.spaces.hilbert.place import Place, space_group_of

PETERSEN = [
    *((i, (i + 1) % 5) for i in range(5)),
    *((5 + i, 5 + (i + 2) % 5) for i in range(5)),
    *((i, i + 5) for i in range(5)),
]


def test_edges_in_any_direction_are_one_graph_and_keep_their_order():
    rng = np.random.default_rng(0)
    one = it.Graph(PETERSEN)
    turned = [tuple(edge)[:: rng.choice([1, -1])] for edge in PETERSEN]
    again = [turned[k] for k in rng.permutation(len(turned))]
    for other in (np.array(PETERSEN), turned, [*PETERSEN, *again], np.array(PETERSEN, float)):
        twin = it.Graph(other)
        assert twin == one and hash(twin) == hash(one) and np.array_equal(twin.edges, one.edges)
    shuffled = it.Graph(again)
    assert shuffled != one and shuffled.edges.tolist() == [sorted(edge) for edge in again]
    assert shuffled.bonds().tolist() == shuffled.edges.tolist()
    assert shuffled.automorphisms.order == one.automorphisms.order
    assert (one.size, len(one.bonds()), one.shells, one.is_connected) == (10, 15, 2, True)
    assert one.edges.dtype == np.int32 and (one.edges[:, 0] < one.edges[:, 1]).all()
    assert copy.deepcopy(one) == one and one != it.Chain(10) and one != it.Graph(PETERSEN[:-1])
    assert one != it.Graph(PETERSEN, colours=[0] * 15) and one != it.Graph(PETERSEN, weights=np.ones(15))
    assert one != it.Graph(PETERSEN, positions=np.zeros((10, 2))) and isinstance(one, Place)
    for array in (one.edges, one.positions, one.neighbours()):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_shells_are_distances_along_edges():
    rng = np.random.default_rng(1)
    pairs = [(i, j) for i, j in itertools.combinations(range(12), 2) if rng.random() < 0.2]
    graph = it.Graph(pairs, size=13)
    reach, near = np.eye(13, dtype=bool), np.zeros((13, 13), bool)
    near[tuple(np.array(pairs).T)] = True
    near |= near.T
    for shell in range(1, graph.shells + 1):
        new = (reach @ near) & ~reach
        assert np.array_equal(graph.bonds(shell), np.argwhere(np.triu(new)))
        for site, row in enumerate(graph.neighbours(shell)):
            assert row[row < 13].tolist() == np.flatnonzero(new[site]).tolist()
        assert graph.shell_distance(shell) == shell
        reach |= new
    assert not ((reach @ near) & ~reach).any() and not graph.is_connected
    with pytest.raises(InputError, match=f"at most {graph.shells}"):
        graph.bonds(graph.shells + 1)
    square = it.Square(5)
    assert np.array_equal(it.Graph(square.bonds()).bonds(), square.bonds())


def test_colours_and_weights_follow_their_edges():
    edges, colours, weights = [(3, 2), (0, 1), (2, 1)], ["b", "a", "b"], [3.0, 1.0, 2.0]
    graph = it.Graph(edges, colours=colours, weights=weights)
    assert graph.edges.tolist() == [[2, 3], [0, 1], [1, 2]]
    assert graph.colours == ("b", "a", "b") and graph.weights.tolist() == [3, 1, 2]
    assert graph.palette == ("a", "b") and graph.bonds(colour="b").tolist() == [[2, 3], [1, 2]]
    assert graph.bonds(2).tolist() == [[0, 2], [1, 3]] and graph.shells == 3
    layered = it.Graph(edges, colours=[2, 1, 1], shells_by_colour=True)
    assert layered.shells == 2 and layered.bonds(2).tolist() == [[2, 3]]
    assert layered.bonds().tolist() == [[0, 1], [1, 2]] and layered.neighbours(2).tolist()[2] == [3]
    with pytest.raises(InputError, match="colour: expected one of 'a', 'b', got c"):
        graph.bonds(colour="c")
    with pytest.raises(InputError, match="no colours"):
        it.Graph(edges).bonds(colour=1)


def test_j1_and_j2_on_colours_are_those_of_the_lattice():
    ring = it.Chain(6)
    edges = np.concatenate([ring.bonds(1), ring.bonds(2)])
    graph = it.Graph(edges, colours=[1] * 6 + [2] * 6, shells_by_colour=True)
    ours = it.j1j2(graph, J2=0.3, marshall=False).to_dense()
    assert np.array_equal(ours, it.j1j2(ring, J2=0.3, marshall=False).to_dense())
    assert graph.space_group.order == 12


def test_sublattices_and_isolated_sites():
    graph = it.Graph([(1, 4), (4, 2), (0, 3)], size=6)
    colours = graph.sublattices()
    assert colours.tolist() == [1, 1, 1, -1, -1, 1] and colours.dtype == np.int8
    with pytest.raises(InputError, match="not bipartite"):
        it.Graph([(0, 1), (1, 2), (2, 0)]).sublattices()
    alone = it.Graph([], size=3)
    assert alone.shells == 0 and alone.space_group.order == 6 and alone.sublattices().tolist() == [1, 1, 1]
    with pytest.raises(InputError, match="at most 0"):
        alone.bonds()


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: it.Graph([(0, 1), (1, 1)]), "site 1 twice"),
        (lambda: it.Graph([(1, 2), (2, 3)]), "site 0 without an edge.*number the sites from 0"),
        (lambda: it.Graph([(0, 5)], size=3), "size: expected at least 6"),
        (lambda: it.Graph([(0, -1)]), "sites from 0"),
        (lambda: it.Graph([(0, 1.5)]), "integers from 0"),
        (lambda: it.Graph([(0, 1, 2)]), r"shape \(E, 2\)"),
        (lambda: it.Graph(["ab"]), "pairs of sites"),
        (lambda: it.Graph(7), "pairs of sites"),
        (lambda: it.Graph([]), "at least one edge"),
        (lambda: it.Graph([], size=0), "size"),
        (lambda: it.Graph([(0, 1)], colours=["a", "b"]), "1, one for each edge"),
        (lambda: it.Graph([(0, 1), (1, 2)], colours=["a", 1]), "alike"),
        (lambda: it.Graph([(0, 1)], colours=[0.5]), "integers, or words"),
        (lambda: it.Graph([(0, 1), (1, 0)], colours=["a", "b"]), r"one colour.*a and b for \[0, 1\]"),
        (lambda: it.Graph([(0, 1), (1, 0)], weights=[1, 2]), "one weight for each pair"),
        (lambda: it.Graph([(0, 1)], weights=[np.nan]), "finite"),
        (lambda: it.Graph([(0, 1)], weights=[1, 2]), "weights: expected 1"),
        (lambda: it.Graph([(0, 1)], positions=[[0, 0]]), "positions|size"),
        (lambda: it.Graph([(0, 1)], positions=[[0, 0]] * 3, size=2), "2 rows, one for each site"),
        (lambda: it.Graph([(0, 1)], positions=[["a"], ["b"]]), "real numbers"),
        (lambda: it.Graph([(0, 1)], shells_by_colour=True), "give colours"),
    ],
)
def test_bad_input_gets_one_clear_error(build, message):
    with pytest.raises(InputError, match=message):
        build()


def test_networkx_graphs():
    nx = pytest.importorskip("networkx")
    assert it.Graph(nx.petersen_graph()).automorphisms.order == 120
    grid = nx.grid_2d_graph(3, 4)
    for node in grid.nodes:
        grid.nodes[node]["pos"] = node
    for a, b in grid.edges:
        grid.edges[a, b].update(colour="x" if a[1] == b[1] else "y", weight=2.0)
    ours, square = it.Graph(grid), it.Square(3, 4, pbc=False)
    assert np.array_equal(ours.edges, square.bonds()) and np.array_equal(ours.positions, square.positions)
    assert ours.names[5] == "(1, 1)" and len(ours.bonds(colour="x")) == 8 and set(ours.weights) == {2.0}


class _Drawn:
    """As much of a networkx graph as is asked for."""

    def __init__(self, nodes, edges):
        self.nodes = nodes
        self.edges = lambda data: edges

    def is_multigraph(self):
        return False


def test_graphs_drawn_by_others_keep_what_they_say():
    nodes = {"b": {"pos": (0, 1)}, "a": {"pos": (0, 2)}}
    graph = it.Graph(_Drawn(nodes, [("a", "b", {"color": 3, "weight": 0.5})]))
    assert graph.names == ("b", "a") and graph.positions.tolist() == [[0, 1], [0, 2]]
    assert graph.colours == (3,) and graph.weights.tolist() == [0.5]
    numbered = it.Graph(_Drawn({2: {}, 0: {}, 1: {}}, [(2, 0, {}), (1, 2, {})]))
    assert numbered.edges.tolist() == [[0, 2], [1, 2]] and not numbered.has_positions


def test_files_of_edges(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "edges.csv").write_text("source,target,colour\n# a comment\n0, 1, x\n2,1,y # too\n\n")
    (tmp_path / "edges.tsv").write_text("0\t1\tx\n2\t1\ty\n")
    (tmp_path / "edges.txt").write_text("\ufeff0 1 x\r\n2   1 y\r\n", encoding="utf-8")
    (tmp_path / "sites.csv").write_text("site,x,y\n2,0,3\n0,0,1\n1,0.5,2\n")
    wanted = it.Graph([(0, 1), (1, 2)], colours=["x", "y"])
    for name in ("edges.csv", "edges.tsv", "edges.txt"):
        found = lattice_from_name(f"graph:{name}")
        assert found == wanted and found.name == f"graph:{name}" and lattice_from_name(found.name) == found
    placed = lattice_from_name("graph:edges.csv+sites.csv")
    assert placed.positions.tolist() == [[0, 1], [0.5, 2], [0, 3]] and placed.dimension == 2
    assert lattice_from_name(placed.name) == placed
    (tmp_path / "more.csv").write_text("i;j;weight;shell\n0;1;1.5;1\n0;2;-2e-1;2\n")
    more = it.Graph.from_file("more.csv")
    assert more.weights.tolist() == [1.5, -0.2] and more.colours == (1, 2) and more.shells == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0,1\n1,b\n", "line 2: expected two sites, numbers from 0, got 1 b"),
        ("0,1\n\n1,1\n", "line 3: expected two different sites"),
        ("0,1\n1,2,x\n", "line 2: expected 2 columns, source, target"),
        ("a,b,c\n0,1,2\n", "line 1: expected columns source, target, colour"),
        ("i,j,weight\n0,1,nan\n", "line 2: expected finite numbers"),
        ("source,target\n", "without any"),
        ("", "without any"),
        ("2,3\n", "site 0 without an edge"),
    ],
)
def test_a_bad_line_is_named(tmp_path, text, message):
    (tmp_path / "edges.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        lattice_from_name(f"graph:{tmp_path / 'edges.csv'}")
    with pytest.raises(InputError, match=r"missing\.csv"):
        lattice_from_name(f"graph:{tmp_path / 'missing.csv'}")


def test_positions_of_other_sites_are_refused(tmp_path):
    for text, message in [("0 1\n2\n", "line 2: expected 2 columns"), ("site x\n0 1\n2 2\n", "0 to 1"),
                          ("0,a\n", "finite numbers"), ("", "without any")]:  # fmt: skip
        (tmp_path / "edges.csv").write_text("0,1\n")
        (tmp_path / "sites.csv").write_text(text)
        with pytest.raises(InputError, match=message):
            it.Graph.from_file(tmp_path / "edges.csv", tmp_path / "sites.csv")


def test_a_graph_is_static_under_jit():
    graph = it.Graph(PETERSEN)
    static = jax.jit(lambda g, s: jnp.sum(s[g.bonds()[:, 0]] * s[g.bonds()[:, 1]]), static_argnums=0)
    assert static(graph, jnp.ones(10)) == static(it.Graph(PETERSEN), jnp.ones(10)) == 15
    assert static._cache_size() == 1


def test_spectra_on_graphs_are_those_of_the_matrix():
    graph = it.Graph(PETERSEN)
    H = it.heisenberg(graph)
    assert H.lattice == graph and it.exact.ground_energy(H) == pytest.approx(
        np.linalg.eigvalsh(H.to_dense())[0], abs=1e-9
    )
    from intertwine.models.symmetric.sectors import sectors

    found = sectors(graph)  # of S_5
    assert sorted(s.dimension for s in found) == [1, 1, 4, 4, 5, 5, 6]
    assert found[0].name == "0 irrep0" and found[0].momentum.shape == (0,)


def test_groups_too_large_to_list_are_told_and_left_out():
    complete = it.Graph(list(itertools.combinations(range(11), 2)))
    assert complete.automorphisms.order == 39_916_800 and space_group_of(complete) is None
    with pytest.raises(InputError, match=r"at most 100,000 automorphisms to list, got 3.99168e\+07"):
        _ = complete.space_group
    H = it.heisenberg(complete)  # 2 S(S + 1) with S = 1/2, less 11 × 3/2, in Pauli units 4 S·S
    assert it.exact.ground_energy(H) == pytest.approx(2 * 0.75 - 11 * 1.5, abs=1e-9)
    from intertwine.quantum.defaults import choose, place_of

    assert choose(H).sector == "trivial" and place_of("gcnn:1x1", H).order == 1


def test_networks_and_correlations_on_a_graph():
    graph = it.Graph(PETERSEN)
    key = jax.random.key(0)
    psi = it.models.model_from_name("symmetric-rbm:1", graph, dtype=float, key=key)
    s = np.array(jax.random.rademacher(key, (10,), np.int8))
    turned = graph.space_group.apply(s)
    values = np.array(jax.vmap(psi)(turned))
    assert np.abs(values - values[0]).max() < 1e-5
    from intertwine.quantum.observables.correlations import correlations

    drawn = np.array(jax.random.rademacher(key, (4, 50, 10), np.int8))
    found = correlations(graph, drawn)
    direct = np.einsum("cdi,cdj->ij", drawn.astype(float), drawn) / 200
    averages = [direct[graph.distances == d].mean() for d in range(3)]
    assert np.allclose(found.correlation, averages, atol=1e-9) and found.structure_factor.shape == (1,)
    assert found.displacement.tolist() == [[0], [1], [2]]


def test_spin_models_on_a_graph():
    graph = it.Graph(PETERSEN, weights=np.linspace(0.1, 0.4, 15))
    model = it.Ising(graph, K=graph.weights, h=0.1)
    every = np.array(list(itertools.product([1, -1], repeat=10)), np.int8)
    exponent = (
        0.1 * every.sum(1) + (every[:, graph.edges[:, 0]] * every[:, graph.edges[:, 1]]) @ graph.weights
    )
    assert np.allclose(jax.vmap(model)(every), exponent, atol=1e-5)
    weights = np.exp(exponent) / np.exp(exponent).sum()
    mean, spread = weights @ every.sum(1) ** 2, np.sqrt(weights @ every.sum(1) ** 4)
    drawn = np.array(it.sample(model, 8192, sampler=it.SwendsenWang(), key=jax.random.key(0)))
    assert abs((drawn.reshape(-1, 10).sum(1) ** 2).mean() - mean) < 6 * spread / np.sqrt(8192)


def test_pairs_fall_into_classes_of_displacements():
    square = it.Square(3, 3, pbc=False)
    placed = it.Graph(square.bonds(), positions=square.positions)
    index, vectors = placed.displacement_index, placed.displacements
    assert len(vectors) == 25 and not vectors[0].any() and (np.diag(index) == 0).all()
    assert np.allclose(vectors[index], square.positions[None] - square.positions[:, None])
    parts = it.Graph([(0, 1), (2, 3)])
    assert parts.displacements.ravel().tolist() == [0, 1, 4] and parts.displacement_index[0, 3] == 2


def test_hilbert_spaces_stand_on_graphs():
    graph = it.Graph(PETERSEN)
    assert it.Rydberg(graph).dimension == 76  # independent sets of the Petersen graph
    assert it.Spins(graph, magnetization=0).sites == 10
