import pandas as pd
import pytest

from diffaug_pipeline.evaluation.figures import draw_arms, draw_learning_curves, draw_per_class


def comparison(metric: str) -> dict:
    result = {"mean": 0.5, "interval": [0.4, 0.6], "values": [0.45, 0.55]}
    return {
        "metric": metric,
        "arms": {"real_only": result, "augmented": result, "copy_paste": result},
        "per_class": {
            name: {"mean": mean, "interval": [mean - 0.1, mean + 0.1], "real_only": 0.4, "augmented": 0.4 + mean}
            for name, mean in (("cat", 0.2), ("dog", -0.2), ("bird", 0.0))
        },
        "zero_shot": None,
    }


@pytest.mark.parametrize(
    ("metric", "title", "per_class"), [("top1_accuracy", "top-1 accuracy", "recall"), ("map_50", "mAP50", "AP50-95")]
)
def test_axes_name_what_is_drawn(metric, title, per_class):
    arms, classes = draw_arms(comparison(metric)), draw_per_class(comparison(metric))
    assert arms.layout.xaxis.title.text == f"{title} on real test images, %"
    assert classes.layout.xaxis.title.text.startswith(per_class)
    assert classes.data[0].y == ("dog", "bird", "cat")
    assert len(set(classes.data[0].marker.color)) == 3


@pytest.mark.parametrize(("column", "title"), [("val_accuracy", "accuracy"), ("val_map_50_95", "mAP50-95")])
def test_learning_curves_show_mean_and_range_over_seeds(column, title):
    history = pd.DataFrame({"seed": [0, 0, 1, 1], "step": [0, 10, 0, 10], column: [0.1, 0.3, 0.3, 0.5]})
    figure = draw_learning_curves({"real_only": history, "copy_paste": history})
    band, line = figure.data[:2]
    assert title in figure.layout.yaxis.title.text
    assert line.y == pytest.approx((20, 40))
    assert (max(band.y), min(band.y)) == pytest.approx((50, 10))
    assert [trace.name for trace in figure.data if trace.name] == ["real_only", "copy_paste"]
