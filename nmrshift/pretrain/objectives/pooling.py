"""Means over groups of atoms, and attention within them."""

import torch
from torch import Tensor


def mean_over(x: Tensor, group: Tensor, n_groups: int) -> Tensor:
    """Return the mean of rows by group ``[n_groups, d]``; an empty group gets zeros.

    Args:
        x: rows ``[n, d]``.
        group: group of each row ``[n]``.
        n_groups: number of groups.
    """
    total = x.new_zeros(n_groups, x.shape[1]).index_add(0, group, x)
    count = torch.bincount(group, minlength=n_groups).clamp_(min=1)
    return total / count.to(x.dtype)[:, None]


def attend(logits: Tensor, values: Tensor, query: Tensor, n_queries: int) -> Tensor:
    """Return for every query the mean of its values, weighed by a softmax of their logits.

    Args:
        logits: one a pair ``[n_pairs]``.
        values: one row a pair ``[n_pairs, d]``.
        query: query of each pair ``[n_pairs]``.
        n_queries: number of queries; one without a pair gets zeros.
    """
    highest = logits.new_full((n_queries,), -torch.inf)
    highest = highest.scatter_reduce(0, query, logits.detach(), "amax")
    weight = torch.exp(logits - highest[query])
    total = weight.new_zeros(n_queries).index_add(0, query, weight)
    summed = values.new_zeros(n_queries, values.shape[1]).index_add(
        0, query, weight[:, None] * values
    )
    return summed / total.clamp(min=1e-9)[:, None]
