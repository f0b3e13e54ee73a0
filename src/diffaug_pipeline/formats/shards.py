"""How the images of a split are dealt out to files that each hold many of them."""

from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.seeding import derive_seed


def cut_into_shards(images: ImageSet, shard_megabytes: float) -> list[ImageSet]:
    """All images in parts of about `shard_megabytes` each.

    Their order is drawn, the same for the same image_ids: who reads shards front to back shuffles within a buffer at
    best, and would meet class after class.
    """
    order = sorted(range(len(images)), key=lambda row: derive_seed(0, "shards", images.index["image_id"].iat[row]))
    rows = images.index.iloc[order]
    bytes_before = rows["size_bytes"].cumsum() - rows["size_bytes"]
    shard = bytes_before // (shard_megabytes * 1e6)
    return [ImageSet(of_shard.reset_index(drop=True)) for _, of_shard in rows.groupby(shard, sort=True)]
