"""fetch_movielens, from archives that a server on this computer sends."""

import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.model_selection import KFold

from skrbm import RBMRecommender
from skrbm.datasets import fetch_movielens
from skrbm.datasets._movielens import ARCHIVES

from ..helpers.archives import GENRES, ROWS, TITLES, archive, served, sha256

pytest.importorskip("pooch")
pytest.importorskip("pandas")


@pytest.fixture
def sites(monkeypatch, tmp_path):
    """Puts small archives in the place of the real ones; the data home is a fresh folder."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))

    def put(name, rows=ROWS):
        content = archive(name, rows)
        file = Path(ARCHIVES[name].url).name
        small = ARCHIVES[name]._replace(url=f"{site.url.rpartition('/')[0]}/{file}")
        monkeypatch.setitem(ARCHIVES, name, small._replace(sha256=sha256(content)))
        site.content = content
        return site

    with served(b"") as site:
        yield put


@pytest.mark.parametrize("name", ARCHIVES)
def test_frames(sites, tmp_path, name):
    sites(name)
    movielens = fetch_movielens(name)
    assert movielens.frame.columns.tolist() == ["user", "item", "rating", "timestamp"]
    assert [tuple(row) for row in movielens.frame.itertuples(index=False)] == ROWS
    assert movielens.data.to_numpy().tolist() == [[user, item] for user, item, _, _ in ROWS]
    assert movielens.target.tolist() == [5, 3, 0.5]
    assert movielens.target.dtype == np.float32
    assert movielens.titles.to_dict() == TITLES
    assert movielens.titles.index.name == "item"
    assert set(movielens.genres[1193].split("|")) == {"Drama", "Children's"}
    assert [path.name for path in (tmp_path / "movielens").iterdir()] == [
        Path(ARCHIVES[name].url).name
    ]


def test_titles_join_the_ratings(sites):
    sites("latest-small")
    movielens = fetch_movielens("latest-small")
    titles = movielens.frame["item"].map(movielens.titles)
    assert titles.tolist() == [TITLES[item] for _, item, _, _ in ROWS]


def test_arrays_need_no_pandas(sites, monkeypatch):
    sites("1m")
    monkeypatch.setitem(sys.modules, "pandas", None)
    movielens = fetch_movielens("1m", as_frame=False)
    assert movielens.data.dtype == np.int64
    assert movielens.data.tolist() == [[user, item] for user, item, _, _ in ROWS]
    assert movielens.timestamp.tolist() == [time for _, _, _, time in ROWS]
    assert movielens.titles == TITLES
    assert movielens.genres == GENRES
    assert movielens.frame is None
    with pytest.raises(ImportError, match=r'needs pandas, .*pip install "skrbm\[datasets\]"'):
        fetch_movielens("1m")


def test_x_and_y_alone(sites):
    sites("100k")
    X, y = fetch_movielens(return_X_y=True)
    assert X.columns.tolist() == ["user", "item"]
    assert y.tolist() == [5, 3, 0.5]


def test_an_archive_is_downloaded_once(sites, tmp_path):
    site = sites("100k")
    for _ in range(2):
        fetch_movielens("100k", data_home=tmp_path / "elsewhere")
    assert len(site.ranges) == 1
    assert (tmp_path / "elsewhere" / "movielens" / "ml-100k.zip").exists()


def test_a_download_is_resumed(sites):
    rows = [(user, item, 3.0, 978300760) for user in range(200) for item in range(50)]
    site = sites("100k", rows)
    site.breaks_after = [2 * 2**16]
    assert len(fetch_movielens("100k", delay=0).target) == len(rows)
    assert site.ranges == [None, f"bytes={2 * 2**16}-"]


def test_errors_without_a_network_say_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    here = ARCHIVES["10m"]._replace(url="http://127.0.0.1:9/ml-10m.zip")
    monkeypatch.setitem(ARCHIVES, "10m", here)
    with pytest.raises(OSError, match=r"put the archive, ml-10m\.zip, into") as caught:
        fetch_movielens("10m", data_home=tmp_path, n_retries=0)
    assert str(tmp_path / "movielens") in str(caught.value)
    with pytest.raises(OSError, match="download_if_missing=False"):
        fetch_movielens("10m", data_home=tmp_path, download_if_missing=False)


def test_another_archive_is_refused(sites, tmp_path):
    site = sites("100k")
    site.content = site.content[:-1]
    with pytest.raises(OSError, match="not the archive that skrbm knows"):
        fetch_movielens("100k")
    assert list((tmp_path / "movielens").iterdir()) == []


@pytest.mark.parametrize("name", ARCHIVES)
def test_descriptions_name_licence_source_and_reference(sites, name):
    sites(name)
    text = fetch_movielens(name).DESCR
    assert "{" not in text.replace("{k}", "")
    assert ARCHIVES[name].url in text
    for words in ("Licence", "redistributed", "research", "Harper, F. M. & Konstan, J. A. (2015)"):
        assert words in text
    assert max(map(len, text.splitlines())) < 100


def test_archives_are_those_of_grouplens():
    for name, known in ARCHIVES.items():
        assert known.url == f"https://files.grouplens.org/datasets/movielens/ml-{name}.zip"
        assert len(known.sha256) == 64
        int(known.sha256, 16)


def test_folds_without_shuffling_are_rows_in_a_row():
    """What the documentation says of the canonical folds of MovieLens-100K."""
    folds = KFold(5).split(np.empty((100_000, 1)))
    for k, (_, test) in enumerate(folds, 1):
        assert np.array_equal(test, np.arange(20_000 * (k - 1), 20_000 * k))


def test_a_recommender_names_titles(sites):
    rows = [(user, item, 1.0 + (user + item) % 5, 0) for user in range(20) for item in TITLES]
    sites("100k", rows)
    movielens = fetch_movielens("100k")
    recommender = RBMRecommender(by="users")
    recommender.set_params(user_rbm__n_iter=1, interest_rbm__n_iter=1).fit(
        movielens.data, movielens.target
    )
    ids, _ = recommender.similar_items([661], n_items=2)
    assert set(movielens.titles.loc[ids.ravel()]) == {TITLES[1193], TITLES[2]}


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"name": "20m"}, ValueError, "name must be '100k', '1m', '10m' or 'latest-small'"),
        ({"as_frame": None}, TypeError, "as_frame must be True or False"),
        ({"return_X_y": 1}, TypeError, "return_X_y must be True or False"),
        ({"n_retries": -1}, ValueError, "n_retries must be at least 0"),
        ({"delay": -1}, ValueError, "delay must be a number of seconds, at least 0"),
        ({"delay": "1"}, ValueError, "delay must be a number of seconds"),
    ],
)
def test_invalid_parameters_are_refused(parameters, error, message):
    with pytest.raises(error, match=message):
        fetch_movielens(**parameters)
