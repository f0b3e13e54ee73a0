import numpy as np

from diffaug_pipeline.scheduler_study.figure import MEASURES, draw_quality


def test_there_is_a_line_per_sampler_the_long_run_and_the_front(study):
    figure = draw_quality(study.summary, study.timings)
    assert [trace.name for trace in figure.data] == [
        *("ddim, eta 0", "ddim, eta 1", "pndm", "heun", "euler_ancestral"),
        *("long run", "Pareto front"),
    ]
    dashes = {trace.name: trace.line.dash for trace in figure.data[:5]}
    assert dashes["ddim, eta 0"] == dashes["heun"] == "solid"
    assert dashes["ddim, eta 1"] == dashes["euler_ancestral"] == "dash"
    heun = study.summary[study.summary["sampler"] == "heun"]
    assert figure.data[3].x == (3, 7)
    assert np.allclose(figure.data[3].y, heun["kid"])
    assert figure.layout.xaxis.type == "log"
    assert set(figure.data[-1].x) == set(study.summary.loc[study.summary["is_on_front"], "model_evaluations"])


def test_the_menu_exchanges_the_measure_of_all_traces_and_its_front(study):
    figure = draw_quality(study.summary, study.timings)
    (menu,) = figure.layout.updatemenus
    assert [button.label for button in menu.buttons] == [measure.title for measure in MEASURES.values()]
    traces, layout = menu.buttons[list(MEASURES).index("clip_score")].args
    assert len(traces["y"]) == len(figure.data)
    assert layout == {"yaxis.title.text": "CLIP score"}
    cells = study.summary[study.summary["cell"] != "long run"]
    assert traces["y"][-1][-1] == cells["clip_score"].max()
    assert np.allclose(traces["y"][3], cells.loc[cells["sampler"] == "heun", "clip_score"])


def test_pointing_at_a_cell_tells_everything_about_it(study):
    figure = draw_quality(study.summary, study.timings)
    text = figure.data[3].text[1]
    for words in ("heun, 4 steps", "7 model evaluations", "ms per image", "CLIP score", "±"):
        assert words in text


def test_what_was_not_measured_is_not_on_the_menu(study):
    unknown = study.summary.assign(agrees=np.nan)
    (menu,) = draw_quality(unknown, study.timings).layout.updatemenus
    assert len(menu.buttons) == len(MEASURES) - 1
