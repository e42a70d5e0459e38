"""
========================================
Curves of training, and when to stop it
========================================

``fit`` writes down figures of each epoch in ``history_``, and
:class:`~skrbm.displays.TrainingDisplay` draws them. This example shows what over-fitting looks
like, which curve tells of it, and two remedies: early stopping and weight decay.
"""

# %%
# A machine that learns its rows by heart
# ---------------------------------------
# 200 hidden units have some 13,000 weights. Here they learn from 400 digits alone. With
# ``early_stopping=True`` a share of the rows is held out and judges each epoch; here it is a fifth
# of 500. As a rule learning ends ``n_iter_no_change`` epochs after the best one. In this section
# that is the number of all epochs, so that learning goes on, and the curves show what follows.

from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from threadpoolctl import threadpool_limits

from skrbm import BernoulliRBM
from skrbm.displays import TrainingDisplay

threadpool_limits(1, user_api="blas")  # the matrices are small

X = (load_digits().data > 7).astype(np.float32)
X = np.random.default_rng(0).permutation(X)
X_train, X_test = X[:500], X[500:]

N_EPOCHS = 300
rbm = BernoulliRBM(200, n_iter=N_EPOCHS, early_stopping=True, random_state=0)
rbm.set_params(validation_fraction=0.2, n_iter_no_change=N_EPOCHS).fit(X_train)
display = TrainingDisplay.from_estimator(rbm)
display.ax_[0].set_title("400 digits, 200 hidden units")
plt.show()

# %%
# From the top down:
#
# * The *validation score* is the mean log pseudo-likelihood of the held-out rows. It rises, has a
#   best epoch, and falls. ``fit`` keeps the machine of the best epoch.
# * The *free-energy gap* is by how much the free energy of held-out rows is above that of training
#   rows. A machine that treats both alike has a gap near 0. The gap grows from the beginning; at
#   the best epoch it is 4 nats, and at the end 12.
# * The *reconstruction error* falls all the time, to nearly 0. It tells that something is learned,
#   and never when to stop.
# * The *learning rate* falls by itself, as the inverse square root of the number of updates.

history = rbm.history_
for epoch in (10, 40, display.best_epoch_, N_EPOCHS):
    score, gap, error = (
        history[key][epoch - 1]
        for key in ("validation_score", "free_energy_gap", "reconstruction_error")
    )
    print(f"epoch {epoch:>3}: score {score:.1f}, gap {gap:.1f}, reconstruction error {error:.3f}")

# %%
# Weight decay
# ------------
# A penalty on the weights keeps them from learning single rows. With ``weight_decay=0.003`` the
# score still rises after 300 epochs, and the gap stays small. Two displays share their axes: the
# second is given those of the first.

decayed = BernoulliRBM(**rbm.get_params()).set_params(weight_decay=0.003).fit(X_train)
quantities = ["validation_score", "free_energy_gap", "reconstruction_error"]
display = TrainingDisplay.from_estimator(rbm, quantities=quantities, name="no decay")
TrainingDisplay.from_estimator(
    decayed, quantities=quantities, name="weight_decay=0.003", ax=display.ax_
)
display.ax_[0].set_ylim(-22, -14)
plt.show()

# %%
# Early stopping in earnest
# -------------------------
# By default learning ends some ten epochs after the best one. The machine that is kept is the
# same, and the time of the other epochs is saved. The last column is the score of digits that no
# machine has seen, not even to find the best epoch. The other two machines learn from all 500
# rows, as they hold out none. Both remedies help. Here weight decay helps more, and takes longer.

stopped = BernoulliRBM(**rbm.get_params()).set_params(n_iter_no_change=10)
without = BernoulliRBM(**rbm.get_params()).set_params(early_stopping=False)
machines = {
    "300 epochs": without,
    "300 epochs, weight decay": BernoulliRBM(**without.get_params()).set_params(
        weight_decay=0.003
    ),
    "early stopping": stopped,
}
print(f"{'':<26}{'epochs':>7}{'seconds':>9}{'score of new digits':>21}")
for name, machine in machines.items():
    start = perf_counter()
    machine.fit(X_train)
    seconds = perf_counter() - start
    print(f"{name:<26}{machine.n_iter_:>7}{seconds:>9.1f}{machine.score(X_test):>21.2f}")
