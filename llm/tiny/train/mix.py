"""What a stage of training is made of: shares of conversations of each sort."""
import random

from dialogs import Corpus, Dialogs
from tasks import Tasks
from values import Values

# First: choices only, so that the built-in circuit survives the first steps. Then everything, no task ever at zero.
SELECT = {"dense": 100}
EARLY = {"dense": 46, "packs": 20, "shipped": 8, "lookup": 7, "copy": 5, "cited": 4, "guard": 4, "rewrite": 3, "summary": 2, "bare": 1}
FULL = {"dense": 15, "packs": 28, "plain": 21, "shipped": 24, "quoted": 20, "bare": 1.5, "structured": 8, "cited": 6, "guard": 4, "rewrite": 1.5, "summary": 1.5, "lookup": 1.5, "copy": .5}


class Mix:
    """Draws conversations of one stage; everything follows from the seed and the packs' text."""

    def __init__(self, corpus, seed, unseen=False, rich=.3):
        self.v = Values(random.Random(seed), unseen)
        self.dialogs, self.tasks = Dialogs(self.v, corpus, rich), Tasks(self.v)

    def sample(self, shares, easy=0):
        """(sort, messages). easy: 3 = two or three synthetic tools without parameters, 2 = up to five with one, 1 = also packs' tools, 0 = up to twelve."""
        v, d = self.v, self.dialogs
        sort = v.weighted(shares)
        if sort in ("dense", "packs"):
            if easy >= 2:
                n, params = (v.pick((2, 3)), (0,)) if easy == 3 else (v.pick((2, 3, 4, 5)), (0, 1))
                return sort, d.dense(n, v.rng.randint(5, 9), none=0, builtins=0, synthetic=1, params=params)
            n = v.pick((2, 3, 4, 5)) if easy else v.weighted({2: 10, 3: 16, 4: 18, 5: 18, 6: 14, 7: 9, 8: 9, 10: 3, 12: 3})
            synthetic = (.75, .8)[easy] if sort == "dense" else .1
            return sort, d.dense(n, v.rng.randint(4, 8), none=(.15, .04)[easy], results=(.08, .02)[easy], synthetic=synthetic, builtins=.1)
        return sort, getattr(d if sort in ("plain", "shipped", "quoted", "structured", "bare") else self.tasks, sort)()
