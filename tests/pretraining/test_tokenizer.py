from diffaug_pipeline.pretraining.tokenizer import END, all_captions, train_tokenizer


def test_captions_are_short_and_any_other_text_can_be_spelt():
    tokenizer = train_tokenizer(vocabulary_size=640, max_tokens=32)
    assert len(tokenizer) <= 640
    assert max(len(tokenizer(text).input_ids) for text in all_captions()) <= 16
    for text in ("knight in the forest", "Жираф", "長い 🦒", "it's 50% off!!", ""):
        ids = tokenizer(text, truncation=True).input_ids
        assert tokenizer.unk_token_id not in ids[1:-1]
        assert len(ids) <= 32
    spelt = tokenizer.decode(tokenizer("knight in the forest").input_ids, skip_special_tokens=True)
    assert spelt.strip() == "knight in the forest"


def test_prompts_are_padded_and_cut_to_the_models_length():
    tokenizer = train_tokenizer(vocabulary_size=640, max_tokens=32)
    for text in ("bag", "word " * 100):
        ids = tokenizer(text, padding="max_length", truncation=True).input_ids
        assert len(ids) == 32
        assert tokenizer.convert_ids_to_tokens(ids[-1]) == END
