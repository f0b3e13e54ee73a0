"""Under which licences stand the images, and the models that make, label and choose them."""

from collections.abc import Iterator

from diffaug_pipeline.doctor.finding import Finding
from diffaug_pipeline.export.licences import Ingredient, check_licences, known_licences
from diffaug_pipeline.export.options import ExportOptions, Licences
from diffaug_pipeline.synthesis.options import Generators


def check_ingredients(
    chosen: dict[str, str], options: ExportOptions, generators: Generators, licences: Licences
) -> Iterator[Finding]:
    """`chosen` are names of models and of the dataset, by their roles.

    Raises `LicenceError` where the intended use is commercial and something is not known to allow it.
    """
    known = known_licences(generators, licences)
    ingredients = [Ingredient(role, name, None, known.get(name)) for role, name in chosen.items()]
    check_licences(ingredients, options)
    terms = ", ".join(f"{one.role} {one.terms}" for one in ingredients)
    says = f"for {options.intended_use}: {terms}"
    unknown = [one.name for one in ingredients if one.licence is None]
    if unknown:
        what = "state it under `licences` in conf/local/parameters.yml, for the card of what you export."
        yield Finding("advice", f"{says}; of {', '.join(unknown)} nothing is known", what)
    else:
        yield Finding("ok", says)
