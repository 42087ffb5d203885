"""Pictures of predictions: the molecule with its shifts, and a stick spectrum a nucleus.

One list of marks (lines, boxes, text) is drawn as SVG and as PNG, so that both look alike. The
molecule comes from RDKit's own drawers. Nothing here needs torch.
"""

from nmrshift.draw.pictures import Picture, picture

__all__ = ["Picture", "picture"]
