"""Chunks between processes: what is unpacked is what was packed."""

import pickle
from dataclasses import fields

import numpy as np
import pytest

from nmrshift.predict.packing import pack, unpack
from nmrshift.predict.prepare import Prepared
from nmrshift.predict.stream import prepare_chunk
from nmrshift.types import Failure, Query

QUERIES = [
    Query("C"),
    Query("C1CC", name="broken"),
    Query("FC(F)(F)c1ccc(OC)cc1", solvent="CDCl3", name="a"),
    Query("[Na+].CC(=O)[O-]", solvent="phlogiston"),
    Query("[H]C([H])(F)Cl", nuclei=("1H", "19F"), source="somewhere"),
    Query("FS(F)(F)(F)(F)C(F)F"),
    Query("InChI=1S/C2H5F/c1-2-3/h2H2,1H3"),
    Query("C[C@H]1CC[C@@H](O)CC1", nuclei=("15N",)),
]


def read(queries: list[Query]) -> list[Prepared | Failure]:
    return prepare_chunk(40, queries, ("13C", "19F"), ("13C", "19F", "1H"), "v2")


@pytest.mark.parametrize("queries", [QUERIES, QUERIES[1:2], []])
def test_round_trip(queries: list[Query]) -> None:
    chunk = read(queries)
    found = unpack(pickle.loads(pickle.dumps(pack(chunk))))
    assert len(found) == len(chunk)
    for before, after in zip(chunk, found, strict=True):
        assert type(before) is type(after)
        if isinstance(before, Failure):
            assert before == after
            continue
        for field in fields(before):
            if field.name != "graph":
                assert getattr(before, field.name) == getattr(after, field.name), field.name
        for field in fields(before.graph):
            one, other = getattr(before.graph, field.name), getattr(after.graph, field.name)
            assert one.dtype == other.dtype
            assert np.array_equal(one, other), field.name


def test_a_chunk_of_arrays_is_smaller_than_its_molecules() -> None:
    chunk = read([Query(f"{'C' * (1 + i % 9)}F") for i in range(200)])
    assert len(pickle.dumps(pack(chunk))) < 0.7 * len(pickle.dumps(chunk))
