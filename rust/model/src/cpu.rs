//! Which instructions kernels may use.

/// The instructions of the processor, as far as kernels tell them apart: each level has those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cpu {
    /// What every processor of the architecture has.
    Portable,
    /// AVX2 and fused multiply-add: 32 bytes an instruction.
    Avx2,
    /// AVX-512 with VBMI, as since Ice Lake and Zen 4: 64 bytes an instruction, and any shuffle of them.
    Avx512,
}

/// The environment variable that lowers the level, for tests and measurements.
const VARIABLE: &str = "PELTON_CPU";

impl Cpu {
    /// The processor's level, or the lower one that the environment asks for.
    pub fn of_process() -> Result<Self, String> {
        let best = Self::detected();
        let Some(asked) = std::env::var_os(VARIABLE) else {
            return Ok(best);
        };
        let asked = match asked.to_str() {
            Some("portable") => Cpu::Portable,
            Some("avx2") => Cpu::Avx2,
            Some("avx512") => Cpu::Avx512,
            _ => {
                return Err(format!(
                    "the environment variable {VARIABLE} is {asked:?}, expected portable, avx2 or avx512"
                ));
            }
        };
        Ok(asked.min(best))
    }

    /// What the processor has.
    pub fn detected() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = is_x86_feature_detected!("avx2")
                && is_x86_feature_detected!("fma")
                && is_x86_feature_detected!("popcnt");
            let avx512 = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512vbmi");
            match (avx2, avx512) {
                (true, true) => return Cpu::Avx512,
                (true, false) => return Cpu::Avx2,
                _ => {}
            }
        }
        Cpu::Portable
    }
}
