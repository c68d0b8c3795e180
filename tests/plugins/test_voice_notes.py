"""Voice notes: real recordings, and a speech model with random weights made on the spot. It hears
nothing sensible, but is loaded and asked as any other; decoding is checked by its samples."""

from __future__ import annotations

import io
import json
from pathlib import Path

import av
import numpy as np
import pytest

from assistant import Attachment, Message, UnreadableError
from assistant.testing.desk import PluginDesk
from plugins.voice_notes import RATE_HZ, VoiceNotes, samples


def recording(seconds: float = 1.0, container: str = "ogg", codec: str = "libopus") -> bytes:
    """A tone of 440 Hz at 48 kHz."""
    out = io.BytesIO()
    with av.open(out, "w", format=container) as made:
        stream = made.add_stream(codec, rate=48_000)
        stream.layout = "mono"
        tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(int(48_000 * seconds)) / 48_000)
        frame = av.AudioFrame.from_ndarray(
            (tone * 32_767).astype(np.int16)[None], format="s16", layout="mono"
        )
        frame.sample_rate = 48_000
        resampler = av.AudioResampler(
            format=stream.format.name,
            layout="mono",
            rate=48_000,
            frame_size=stream.codec_context.frame_size or 1_024,
        )
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            made.mux(stream.encode(piece))
        made.mux(stream.encode(None))
    return out.getvalue()


@pytest.mark.parametrize(
    ("container", "codec"), [("ogg", "libopus"), ("mp4", "aac"), ("wav", "pcm_s16le")]
)
def test_recordings_of_any_kind_become_samples(container: str, codec: str) -> None:
    heard = samples(recording(1.0, container, codec), 60)

    loudest = int(np.argmax(np.abs(np.fft.rfft(heard)))) * RATE_HZ / len(heard)
    assert heard.dtype == np.float32
    assert abs(len(heard) - RATE_HZ) < RATE_HZ * 0.1
    assert abs(loudest - 440) < 5


def test_only_so_much_is_listened_to() -> None:
    assert len(samples(recording(3.0), 1.0)) == RATE_HZ


@pytest.mark.parametrize("content", [b"no recording", recording()[:80]], ids=["none", "cut off"])
def test_a_damaged_recording_is_said(content: bytes) -> None:
    with pytest.raises(UnreadableError, match=r"damaged|no sound"):
        samples(content, 10)


@pytest.fixture(scope="module")
def listener(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Whisper's network, tiny and with random weights, in a folder as transformers keeps one."""
    import torch
    from transformers import (
        WhisperConfig,
        WhisperFeatureExtractor,
        WhisperForConditionalGeneration,
        WhisperProcessor,
        WhisperTokenizer,
    )

    folder = tmp_path_factory.mktemp("listener")
    special = ["<|endoftext|>", "<|startoftranscript|>", "<|notimestamps|>"]
    words = {word: n for n, word in enumerate([*"abcdefgh", *special])}
    (folder / "vocab.json").write_text(json.dumps(words))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = WhisperTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"))
    WhisperProcessor(WhisperFeatureExtractor(feature_size=8), tokenizer).save_pretrained(folder)
    torch.manual_seed(0)
    model = WhisperForConditionalGeneration(
        WhisperConfig(
            vocab_size=len(tokenizer),
            d_model=16,
            encoder_layers=1,
            decoder_layers=1,
            encoder_attention_heads=2,
            decoder_attention_heads=2,
            encoder_ffn_dim=16,
            decoder_ffn_dim=16,
            num_mel_bins=8,
            max_target_positions=24,
            pad_token_id=8,
            bos_token_id=8,
            eos_token_id=8,
            decoder_start_token_id=9,
        )
    )
    model.generation_config.no_timestamps_token_id = 10
    model.generation_config.max_length = 12
    model.save_pretrained(folder)
    return folder


def note(content: bytes, name: str = "note.ogg", media_type: str = "audio/ogg") -> Message:
    attachments = (Attachment(media_type, name, content),)
    return Message("test", "1", "t", "ann@example.com", "", attachments=attachments)


def test_a_voice_note_becomes_a_file_of_what_was_said(
    plugin_desk: PluginDesk, listener: Path
) -> None:
    plugin_desk.add("voice-notes", VoiceNotes, {"model": str(listener)})

    (file,) = plugin_desk.receive(note(recording())).attachments

    assert (file.media_type, file.filename) == ("text/plain", "note.ogg.txt")
    assert set(file.content.decode()) <= set("abcdefgh")


def test_a_damaged_note_says_why(plugin_desk: PluginDesk, listener: Path) -> None:
    plugin_desk.add("voice-notes", VoiceNotes, {"model": str(listener)})

    (file,) = plugin_desk.receive(note(b"no recording")).attachments

    assert file.missing == "the recording is damaged, or of an unknown kind"


def test_other_files_and_an_unset_model_change_nothing(plugin_desk: PluginDesk) -> None:
    plugin_desk.add("voice-notes", VoiceNotes)
    message = note(recording())

    assert plugin_desk.receive(message) == message
