"""The searches of the two papers, and of six public codes for Yeh et al. (2017).

The codes differ from the paper, and from each other, in nearly every constant. Each
preset has what the code of its name does that an option here can express; its note
says what it has not. For all of them:

- networks normalise by what they were trained on, so that no image depends on its
  batch; moodoki, ChengBinJin and KrnTneja normalise by the batch at hand;
- a window of weights is cut off at the border of the image, not mirrored or wrapped
  round it; the blend does not wrap round the rows, as that of moodoki and ChengBinJin;
- the last code is looked at after the last step; their last image is of the code
  before it;
- a weight of the prior loss beside a mean over the batch, added to each image's
  content, is what it is here beside one image's.
"""

from __future__ import annotations

import dataclasses

from semantic_inpaint.latent.inversion_options import InversionOptions
from semantic_inpaint.latent.options import NESTEROV_SEARCH, SearchOptions

MALESEVIC = InversionOptions(operator="log")
"""Malesevic et al., section 3.2, to the letter: 1500 + 1500 steps of Adam at .003 with
betas .5 and .9, lambda .003, ratio weights, blended by the Laplacian-type kernel (the
derivative among the two that they may mean). Not stated there: the window, 7 as in Yeh
et al., and the scale of the content loss, "sum" as the formula reads."""

YEH = InversionOptions(second=None, weight_kind="fraction", operator="gradient")
"""Yeh et al. 2017, as Malesevic et al. run it: stage 1 alone, the missing fraction of a
7 x 7 window as weight, lambda .003, gradient blend."""

MOODOKI = InversionOptions(
    first=dataclasses.replace(NESTEROV_SEARCH, result="last"),
    second=None,
    weight_kind="inverted",
    prior_weight=0.1,
    prior_loss="non-saturating",
    start_distribution="normal",
)
"""moodoki/semantic_image_inpainting, the code of Yeh et al., branch master: 1000 steps
of Nesterov's gradient at .01 from clipped normal codes, the last of which counts;
summed L1 under weights that are large far from the hole, where the paper's are large
near it; .1 times -log D; Poisson blend. Not reproduced: batch normalisation by the
batch, 64 candidates of one image, the blend's wrapped rows and its solver (pyamg)."""

MOODOKI_EXTENSIONS = dataclasses.replace(
    MOODOKI,
    first=dataclasses.replace(MOODOKI.first, num_steps=3000, learning_rate=3e-4),
    window_size=15,
    weight_kind="fraction",
    prior_weight=0.2,
)
"""The same code, branch extensions: 3000 steps at .0003, the paper's weights over 15 x
15 pixels (as its preprocessing has it; one of its helpers says 7), .2 times -log D. Not
reproduced: as for `moodoki`."""

CHENGBINJIN = InversionOptions(
    first=SearchOptions(learning_rate=0.01, method="nesterov", schedule="stepped"),
    second=None,
    weight_kind="fraction",
    prior_weight=3.0,
    prior_loss="non-saturating",
    start_distribution="normal",
)
"""ChengBinJin/semantic-image-inpainting: 1500 steps of Nesterov's gradient at .01 times
.95 for every hundred, the first too, from clipped normal codes; the best code by its
loss; summed L1 under the paper's weights; 3 times -log D of each image; Poisson blend.
Not reproduced: batch normalisation in training mode, the blend's wrapped rows."""

BAMOS = InversionOptions(
    first=SearchOptions(
        num_steps=1000, learning_rate=0.01, beta_1=0.9, beta_2=0.999, result="last"
    ),
    second=None,
    weight_kind="uniform",
    prior_weight=0.1,
    prior_loss="non-saturating",
    operator="paste",
)
"""bamos/dcgan-completion.tensorflow: 1000 steps of Adam at .01 with betas .9 and .999
from uniform codes, clipped, the last of which counts; summed L1, every known pixel
alike; .1 times -log D; pasted. Not reproduced: its other way, Hamiltonian Monte Carlo.
"""

KRNTNEJA = InversionOptions(
    first=SearchOptions(
        learning_rate=1e-3,
        beta_1=0.9,
        beta_2=0.999,
        projection="none",
        result="last",
    ),
    second=None,
    window_size=25,
    weight_kind="neighbours",
    distance="squared",
    prior_loss="non-saturating",
    start_distribution="normal",
)
"""KrnTneja/PyTorch-Implementation-of-Semantic-Image-Inpainting-with-Deep-Generative-
Models: 1500 steps of Adam at .001 with betas .9 and .999 from normal codes, nothing of
which is clipped, the last of which counts; summed squares, weighted by the missing
share of the 624 neighbours; .003 times -log D. Not reproduced: batch normalisation by
the batch (its `eval()` is never called), weights that wrap round the image, grey images
scaled by their own mean and largest value, and its blend, 3000 steps of Adam on Sobel
gradients; here it is the Poisson blend."""

FONFONX = InversionOptions(
    first=SearchOptions(
        num_steps=2000, learning_rate=0.02, beta_1=0.9, beta_2=0.999, result="last"
    ),
    second=None,
    weight_kind="uniform",
    distance="smooth",
    reduction="mean",
    prior_weight=0.002,
    prior_loss="non-saturating",
    operator="paste",
)
"""fonfonx/dcgan-inpainting.torch: 2000 steps of Adam at .02 with betas .9 and .999, the
last code counts; mean smooth L1, every known pixel alike; .002 times -log D; pasted. Of
its two kinds of noise the uniform, clipped one, as our priors were trained with; its
own default is the normal one, which it does not clip. Not reproduced: the mean over the
batch, which divides both terms alike and which Adam does not see."""

PUBLISHED = {
    "malesevic": MALESEVIC,
    "yeh": YEH,
    "moodoki": MOODOKI,
    "moodoki-extensions": MOODOKI_EXTENSIONS,
    "chengbinjin": CHENGBINJIN,
    "bamos": BAMOS,
    "krntneja": KRNTNEJA,
    "fonfonx": FONFONX,
}
