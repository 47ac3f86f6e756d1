"""Log-mel front-end, differentiable and batched; agrees with torchaudio's `MelSpectrogram`.

Written on `torch.stft` because importing torchaudio costs more than a whole text job.
"""

import math

import torch
from torch import Tensor, nn

from listenread.models.muscall.sizes import AudioSizes

#: Smallest power that is told from silence, as in torchaudio and librosa.
SMALLEST_POWER = 1e-10


def mel_filters(n_freqs: int, f_min: float, f_max: float, n_mels: int, sample_rate: int) -> Tensor:
    """Triangular filters of height 1, equally spaced on the HTK mel scale 2595 log10(1 + f / 700).

    Returns:
        float32, shape (n_freqs, n_mels).
    """

    def to_mel(hertz: float) -> float:
        return 2595.0 * math.log10(1.0 + hertz / 700.0)

    mels = torch.linspace(to_mel(f_min), to_mel(f_max), n_mels + 2)
    edges = 700.0 * (10.0 ** (mels / 2595.0) - 1.0)  # (n_mels + 2,)
    widths = edges.diff()  # (n_mels + 1,)
    bins = torch.linspace(0, sample_rate // 2, n_freqs)
    distances = edges[None, :] - bins[:, None]  # (n_freqs, n_mels + 2)
    rising = -distances[:, :-2] / widths[:-1]  # (n_freqs, n_mels)
    falling = distances[:, 2:] / widths[1:]  # (n_freqs, n_mels)
    return torch.minimum(rising, falling).clamp_min(0.0)


class _Spectrogram(nn.Module):
    window: Tensor

    def __init__(self, n_fft: int):
        super().__init__()
        self.register_buffer("window", torch.hann_window(n_fft))


class _MelScale(nn.Module):
    fb: Tensor

    def __init__(self, filters: Tensor):
        super().__init__()
        self.register_buffer("fb", filters)


class LogMel(nn.Module):
    """Waveforms of shape (batch, samples) to decibels of shape (batch, n_mels, frames).

    The short-time spectrum is divided by the L2 norm of its window. The range `top_db` is counted
    from each clip's own maximum, so that a clip's spectrogram does not depend on its batch.
    """

    def __init__(self, sizes: AudioSizes):
        super().__init__()
        self.sizes = sizes
        n_freqs = sizes.n_fft // 2 + 1
        filters = mel_filters(n_freqs, sizes.f_min, sizes.f_max, sizes.n_mels, sizes.sample_rate)
        self.spectrogram = _Spectrogram(sizes.n_fft)
        self.mel_scale = _MelScale(filters)

    def forward(self, waveforms: Tensor) -> Tensor:
        """Compute the log-mel spectrograms of a batch, in float32 whatever the precision around."""
        with torch.autocast(waveforms.device.type, enabled=False):
            return self._decibels(waveforms.float())  # (batch, n_mels, frames)

    def _decibels(self, waveforms: Tensor) -> Tensor:
        window = self.spectrogram.window
        n_fft, hop = self.sizes.n_fft, self.sizes.hop
        spectrum = torch.stft(waveforms, n_fft, hop, window=window, return_complex=True)
        # re² + im² is exact and several times faster than abs() ** 2 on a CPU
        power = torch.view_as_real(spectrum).square().sum(-1)  # (batch, n_fft / 2 + 1, frames)
        power = power / window.square().sum()
        mel = torch.matmul(self.mel_scale.fb.T, power)  # (batch, n_mels, frames)
        decibels = 10.0 * torch.log10(mel.clamp_min(SMALLEST_POWER))
        maximum = decibels.amax(dim=(1, 2), keepdim=True)  # (batch, 1, 1)
        decibels = torch.maximum(decibels, maximum - self.sizes.top_db)
        if self.sizes.relative_db:
            return (decibels - maximum) / self.sizes.top_db + 1.0
        return decibels
