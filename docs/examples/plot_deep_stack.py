"""
=================================
Two machines on top of each other
=================================

The features of an RBM lie between 0 and 1, so a second :class:`~skrbm.BernoulliRBM` can learn from
the features of the first one. A pipeline makes such a stack. Its weights can also be where a
neural network starts: ``MLPClassifier`` with logistic units computes the same features, and goes
on to learn from labels. This example asks what both are worth where few digits have labels. The
answer is mixed.
"""

# %%
# A stack is a pipeline
# ---------------------
# Both machines learn from all training digits, without labels. The classifier sees the features of
# the last machine only.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from threadpoolctl import threadpool_limits

from skrbm import BernoulliRBM

threadpool_limits(1, user_api="blas")  # the matrices are small

X, y = load_digits(return_X_y=True)
X = (X / 16).astype(np.float32)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
rbm = BernoulliRBM(100, n_iter=60, random_state=0)
stack = make_pipeline(rbm, clone(rbm)).fit(X_train)
print(stack.transform(X_test).shape)

# %%
# A filter is the picture of a hidden unit's weights. Those of the first machine with the largest
# weights are spots and strokes at one place. The second machine has its weights on hidden units,
# and so it has no such picture.

from skrbm.displays import FiltersDisplay

display = FiltersDisplay.from_estimator(
    stack[0], image_shape=(8, 8), order="norm", n=36, n_columns=12
)
display.ax_.set_title("First machine: filters with the largest weights")
plt.show()

# %%
# A network that starts at the stack
# ----------------------------------
# ``MLPClassifier`` has no parameter for initial weights. But one call of ``partial_fit`` makes its
# arrays, which may be replaced, and with ``warm_start=True`` a call of ``fit`` goes on from them.
# The last layer gets the weights of logistic regression on the features. So the network starts as
# the pipeline: before the first step both give the same probabilities.

LAYERS = [100, 100]


def network(**parameters):
    """A network with as many units as the stack has."""
    given = {"activation": "logistic", "max_iter": 1000, "tol": 1e-3, "random_state": 0}
    return MLPClassifier(LAYERS, **given | parameters)


def started(stack, classifier, X, y):
    """A network with the weights of a stack, and those of a linear classifier of its features."""
    machines = [machine for _, machine in stack.steps]
    net = network(warm_start=True).partial_fit(X, y, classes=np.arange(10))
    net.coefs_ = [machine.components_.T.copy() for machine in machines]
    net.coefs_ += [classifier.coef_.T.astype(X.dtype)]
    net.intercepts_ = [machine.intercept_hidden_.copy() for machine in machines]
    net.intercepts_ += [classifier.intercept_.astype(X.dtype)]
    return net


def labelled(n, split):
    """Some training digits whose labels are known."""
    given = {"train_size": n, "stratify": y_train, "random_state": split}
    some, _, y_some, _ = train_test_split(X_train, y_train, **given)
    return some, y_some


def classifier_of(machine):
    """Logistic regression on the features of a machine that learns no more."""
    return make_pipeline(FrozenEstimator(machine), LogisticRegression(C=10, max_iter=1000))


some = labelled(100, split=0)
classifier = classifier_of(stack).fit(*some)
net = started(stack, classifier[-1], *some)
apart = np.abs(net.predict_proba(X_test) - classifier.predict_proba(X_test)).max()
print(f"probabilities differ by {apart:.0e} at most")

# %%
# Few labels
# ----------
# The curves show accuracies on test digits, as means over three splits. The machines always learn
# from all 1,347 training digits. Labels are known of 50 of them, or more.

N_LABELLED = [50, 100, 200, 400]
accuracy = {}
for split in range(3):
    X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=split)
    stack = clone(stack).fit(X_train)
    for n in N_LABELLED:
        some = labelled(n, split)
        on_stack = classifier_of(stack).fit(*some)
        models = {
            "pixels": LogisticRegression(C=10, max_iter=1000).fit(*some),
            "first machine": classifier_of(stack[0]).fit(*some),
            "second machine": on_stack,
            "random network": network().fit(*some),
            "random, ReLU units": network(activation="relu").fit(*some),
            "network from stack": started(stack, on_stack[-1], *some).fit(*some),
        }
        for name, model in models.items():
            accuracy.setdefault((name, n), []).append(model.score(X_test, y_test))

names = list(dict.fromkeys(name for name, _ in accuracy))
means = {name: [np.mean(accuracy[name, n]) for n in N_LABELLED] for name in names}
print(f"{'labelled digits':<20}" + "".join(f"{n:>8}" for n in N_LABELLED))
for name, values in means.items():
    print(f"{name:<20}" + "".join(f"{value:>8.3f}" for value in values))
spread = np.mean([np.std(values, ddof=1) for values in accuracy.values()])
print(f"standard deviation of a split: {spread:.3f}")

# %%
# What the stack gives, and what not
# ----------------------------------
# * *A start for a network.* The network from the stack beats the network from random weights for
#   every number of labels: by 9 points with 50 labelled digits, and by 2 points with 400. ReLU
#   units, which need no such start, come closer: 5 points behind with 50, half a point with 400.
# * *Features without labels.* Logistic regression on the features of the first machine beats that
#   on pixels for every number of labels, too.
# * *Hardly more than one machine.* On the features of the second machine logistic regression is
#   ahead of that on the features of the first with 50 labels alone. The second machine knows the
#   digits only through the first.
# * *Little by fine-tuning.* The network from the stack gains about half a point over the
#   classifier that it starts as. It is then about as good as logistic regression on the first
#   machine, which is the simplest of the three.

figure, ax = plt.subplots(layout="constrained")
for name, values in means.items():
    linestyle = "--" if "network" in name or "ReLU" in name else "-"
    ax.plot(N_LABELLED, values, marker="o", linestyle=linestyle, label=name)
ax.set(xscale="log", xticks=N_LABELLED, xticklabels=N_LABELLED)
ax.minorticks_off()
ax.set(xlabel="labelled digits", ylabel="accuracy on test digits")
ax.legend(title="dashed: networks")
plt.show()
