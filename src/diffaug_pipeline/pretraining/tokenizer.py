"""A byte-level BPE vocabulary small enough to ship, that can still spell any text."""

import json
from itertools import product

from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import CLIPTokenizer

from diffaug_pipeline.pretraining.captions import CLASS_NAMES, PATTERNS, TEMPLATES, TONES, caption

START, END = "<|startoftext|>", "<|endoftext|>"
WORD_END = "</w>"


def train_tokenizer(vocabulary_size: int, max_tokens: int) -> CLIPTokenizer:
    """CLIP's tokenizer class over merges learnt from the captions; single bytes spell every other word."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    letters = alphabet + [letter + WORD_END for letter in alphabet]
    speller = _clip_tokenizer(letters, [], max_tokens).backend_tokenizer
    learner = Tokenizer(models.BPE(end_of_word_suffix=WORD_END))
    learner.normalizer = speller.normalizer
    learner.pre_tokenizer = speller.pre_tokenizer
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size, end_of_word_suffix=WORD_END, initial_alphabet=alphabet, show_progress=False
    )
    learner.train_from_iterator(all_captions(), trainer)
    merges = [tuple(pair) for pair in json.loads(learner.to_str())["model"]["merges"]]
    return _clip_tokenizer(letters + ["".join(pair) for pair in merges], merges, max_tokens)


def all_captions() -> list[str]:
    """Every sentence the models are trained on, sorted."""
    return sorted(caption(*words) for words in product(TEMPLATES, CLASS_NAMES, TONES, PATTERNS))


def _clip_tokenizer(words: list[str], merges: list[tuple[str, str]], max_tokens: int) -> CLIPTokenizer:
    vocabulary = {word: index for index, word in enumerate(dict.fromkeys([*words, START, END]))}
    return CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=max_tokens)
