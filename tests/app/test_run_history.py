import plotly.graph_objects as go

from diffaug_pipeline.app.run_history import TITLE_LETTERS, fit_narrow_windows


def test_axis_titles_are_broken_between_words_and_menus_keep_their_place():
    figure = go.Figure(layout={"xaxis": {"title": "recall, augmented minus real-only, points"}})
    figure = fit_narrow_windows(figure.update_layout(updatemenus=[{"buttons": []}]))
    lines = figure.layout.xaxis.title.text.split("<br>")
    assert lines == ["recall, augmented minus", "real-only, points"]
    assert max(map(len, lines)) <= TITLE_LETTERS
    assert figure.layout.legend.y < 0


def test_a_figure_without_titles_stays_as_it_is():
    figure = fit_narrow_windows(go.Figure(layout={"legend": {"y": 1.1}}))
    assert (figure.layout.xaxis.title.text, figure.layout.legend.y) == (None, 1.1)
