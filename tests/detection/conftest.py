import pytest
from factories import cats_and_dogs

from diffaug_pipeline.imaging.image_set import ImageSet


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> ImageSet:
    """A task a detector learns within seconds."""
    return cats_and_dogs(tmp_path_factory.mktemp("real"))
