"""A recipe names the pixels: it changes with all that determines them, and with nothing else."""

import hashlib
from collections import Counter

from factories import synthesis_options
from hypothesis import given
from hypothesis import strategies as st
from properties.strategies import image_ids, labelled_sets, names

from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.prompts.plan import class_rows, complete_plan, take_in_turn
from diffaug_pipeline.seeding import derive_seed

seeds = st.integers(0, 2**63 - 1)
contents = st.lists(image_ids, min_size=1, max_size=6, unique=True).map(
    lambda ids: {image_id: hashlib.sha256(image_id.encode()).hexdigest() for image_id in ids}
)
determining_values = st.fixed_dictionaries(
    {
        "prompt": st.text(max_size=20),
        "seed": seeds,
        "strength": st.none() | st.floats(0.01, 1),
    }
)
shared_values = st.fixed_dictionaries(
    {
        "negative_prompt": st.text(max_size=20),
        "guidance_scale": st.floats(0, 30),
        "num_inference_steps": st.integers(1, 1_000),
        "scheduler": st.sampled_from(["ddim", "euler"]),
        "eta": st.none() | st.floats(0, 1),
        "model": names,
        "model_revision": st.none() | names,
        "width_px": st.integers(8, 2_048),
    }
)


@st.composite
def plan_rows(draw: st.DrawFn, train: ImageSet) -> list[dict]:
    """As `class_rows` makes them; few values, so that equal rows occur."""
    sources = st.none() | st.sampled_from(train.index["image_id"].tolist())
    drawn = draw(st.lists(st.tuples(determining_values, sources, names), min_size=1, max_size=8))
    repeated = draw(st.lists(st.sampled_from(drawn), max_size=3))
    return [
        {"image_id": f"synthetic:{number}", "label": label, "source_image_id": source, **values}
        for number, (values, source, label) in enumerate([*drawn, *repeated])
    ]


def recipes(rows: list[dict], shared: dict, train: ImageSet) -> dict[str, str]:
    planned = complete_plan([dict(row) for row in rows], shared, train)
    return dict(zip(planned["image_id"], planned["recipe"], strict=True))


@given(data=st.data(), shared=shared_values)
def test_recipes_are_equal_where_all_that_determines_the_pixels_is(pictures, data, shared):
    train = data.draw(labelled_sets(pictures))
    rows = data.draw(plan_rows(train))
    of_image = recipes(rows, shared, train)
    determining = {
        row["image_id"]: (row["prompt"], row["seed"], row["strength"], row["source_image_id"]) for row in rows
    }
    pairs = {(of_image[image_id], determining[image_id]) for image_id in of_image}
    assert len(pairs) == len(set(of_image.values())) == len(set(determining.values()))


@given(data=st.data(), shared=shared_values)
def test_recipes_do_not_depend_on_order_names_or_what_else_is_planned(pictures, data, shared):
    train = data.draw(labelled_sets(pictures))
    rows = data.draw(plan_rows(train))
    of_image = recipes(rows, shared, train)
    assert recipes(data.draw(st.permutations(rows)), shared, train) == of_image
    kept = data.draw(st.lists(st.sampled_from(rows), min_size=1, unique_by=lambda row: row["image_id"]))
    assert recipes(kept, shared, train) == {row["image_id"]: of_image[row["image_id"]] for row in kept}
    renamed = [row | {"image_id": f"other {row['image_id']}", "label": "another"} for row in rows]
    assert list(recipes(renamed, shared | {"split": "train", "origin": "synthetic"}, train).values()) == [
        *of_image.values()
    ]
    elsewhere = ImageSet(train.index.assign(path="/moved", split="train"))
    assert recipes(rows, shared, elsewhere) == of_image


@given(data=st.data(), shared=shared_values)
def test_recipes_change_with_every_value_and_with_the_content_of_the_source(pictures, data, shared):
    train = data.draw(labelled_sets(pictures))
    (row,) = data.draw(plan_rows(train))[:1]
    (recipe,) = recipes([row], shared, train).values()
    for key in (*shared, "prompt", "seed", "strength"):
        changed = {key: f"not {(shared | row)[key]}"}
        again = recipes([row | changed], shared, train) if key in row else recipes([row], shared | changed, train)
        assert [*again.values()] != [recipe], key
    other_content = ImageSet(train.index.assign(sha256="0" * 64))
    assert ([*recipes([row], shared, other_content).values()] == [recipe]) == (row["source_image_id"] is None)


@given(sources=contents, count=st.integers(0, 30), more=st.integers(0, 30), seed=seeds, label=names, data=st.data())
def test_more_images_leave_the_earlier_ones_as_they_are_and_use_sources_equally(
    sources, count, more, seed, label, data
):
    mode = data.draw(st.sampled_from(["text_to_image", "image_to_image"]))
    synthesis = synthesis_options(mode=mode, seed=seed, strength=[0.3, 0.6, 0.9])
    choices = data.draw(st.lists(st.text(), min_size=1, max_size=5, unique=True))
    few, many = (class_rows(label, number, choices, sources, synthesis) for number in (count, count + more))
    assert many[:count] == few
    assert len(many) == count + more
    assert len({row["seed"] for row in many}) == len(many)
    if mode == "image_to_image":
        used = Counter(dict.fromkeys(sources, 0) | Counter(row["source_image_id"] for row in many))
        assert max(used.values()) - min(used.values()) <= 1


@given(
    choices=st.lists(st.integers(), min_size=1, max_size=9, unique=True), rounds=st.integers(1, 4), seed=seeds, of=names
)
def test_every_choice_is_taken_once_in_every_round(choices, rounds, seed, of):
    taken = [take_in_turn(choices, number, seed, of, "prompt") for number in range(rounds * len(choices))]
    for start in range(0, len(taken), len(choices)):
        assert sorted(taken[start : start + len(choices)]) == sorted(choices)


identities = st.lists(st.text(max_size=5) | st.integers(-9, 9), max_size=4).map(tuple)


@given(first=st.tuples(seeds, identities), second=st.tuples(seeds, identities))
def test_seeds_are_those_of_their_identity(first, second):
    one, other = (derive_seed(run_seed, *identity) for run_seed, identity in (first, second))
    assert 0 <= one < 2**63
    assert (one == other) == (first == second)
