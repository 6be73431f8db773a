//! Inputs as patches of valid bytes: they are small, and pass the checks of magic numbers.

/// The maximum size of a patched file.
const MAX_LEN: usize = 1 << 20;

/// Reads an input from its front. After its end it reads zeros.
pub struct Input<'a>(pub &'a [u8]);

impl Input<'_> {
    /// Whether the input has ended.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        self.bytes::<1>()[0]
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        let n = N.min(self.0.len());
        bytes[..n].copy_from_slice(&self.0[..n]);
        self.0 = &self.0[n..];
        bytes
    }

    fn number(&mut self) -> usize {
        usize::from(u16::from_le_bytes(self.bytes()))
    }
}

/// Applies patches until the input ends.
///
/// ```text
/// 0 at value     one byte             3 to from len  a run of bytes from elsewhere
/// 1 at value     four bytes           4 len          the file's length, in units of 16 bytes
/// 2 at value     eight bytes          5 at delta     added to four bytes
/// ```
pub fn apply(bytes: &mut Vec<u8>, input: &mut Input<'_>) {
    while !input.is_empty() {
        match input.byte() % 6 {
            0 => write(bytes, input, |input| input.bytes::<1>()),
            1 => write(bytes, input, |input| input.bytes::<4>()),
            2 => write(bytes, input, |input| input.bytes::<8>()),
            3 => {
                let (to, from, len) = (input.number(), input.number(), input.number());
                let end = from.saturating_add(len).min(bytes.len());
                let run = bytes.get(from..end).unwrap_or_default().to_vec();
                let room = bytes.get_mut(to..).unwrap_or_default();
                let n = run.len().min(room.len());
                room[..n].copy_from_slice(&run[..n]);
            }
            4 => bytes.resize((input.number() * 16).min(MAX_LEN), 0),
            _ => {
                let (at, delta) = (input.number(), input.byte() as i8);
                if let Some(place) = bytes.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
                    let value = u32::from_le_bytes(*place);
                    *place = value.wrapping_add_signed(delta.into()).to_le_bytes();
                }
            }
        }
    }
}

fn write<const N: usize>(
    bytes: &mut [u8],
    input: &mut Input<'_>,
    value: impl FnOnce(&mut Input<'_>) -> [u8; N],
) {
    let at = input.number();
    let value = value(input);
    if let Some(place) = bytes.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
        *place = value;
    }
}
