//! The order in which Python walks a set of texts.
//!
//! A server walks sets of node ids and input names. Their order depends on a hash seed that is new in every process, so
//! there is no order to expect from a server. With the seed 0 there is one, and servers that were watched under that seed
//! can be followed exactly: which of two errors hides the other, which node of a cycle stands first.

/// A table slot: the hash of a name, and which name it is.
type Slot = Option<(u64, usize)>;

/// The order in which a set made of these names, added one by one, is walked under `PYTHONHASHSEED=0`. Names that occur
/// twice are there once.
pub(in crate::validate) fn hash_seed_zero<T: AsRef<str>>(names: &[T]) -> Vec<usize> {
    let mut table: Vec<Slot> = vec![None; 8];
    let mut used = 0_usize;
    for (index, name) in names.iter().enumerate() {
        let hash = hash(name.as_ref());
        let same = |other: &(u64, usize)| {
            other.0 == hash && names.get(other.1).is_some_and(|known| known.as_ref() == name.as_ref())
        };
        let Some(place) = find(&table, hash, same) else { continue };
        table[place] = Some((hash, index));
        used += 1;
        if used * 5 >= (table.len() - 1) * 3 {
            table = grown(&table, if used > 50_000 { used * 2 } else { used * 4 });
        }
    }
    table.into_iter().flatten().map(|(_, index)| index).collect()
}

/// The free slot for a hash, or nothing when `same` finds the name in the table.
fn find(table: &[Slot], hash: u64, same: impl Fn(&(u64, usize)) -> bool) -> Option<usize> {
    /// How many neighbours are tried before jumping.
    const NEIGHBOURS: u64 = 9;
    let mask = table.len() as u64 - 1;
    let mut perturb = hash;
    let mut start = hash & mask;
    loop {
        let probes = if start + NEIGHBOURS <= mask { NEIGHBOURS } else { 0 };
        for place in start..=start + probes {
            let place = usize::try_from(place).ok()?;
            match table.get(place)? {
                None => return Some(place),
                Some(entry) if same(entry) => return None,
                Some(_) => {}
            }
        }
        perturb >>= 5;
        start = start.wrapping_mul(5).wrapping_add(1).wrapping_add(perturb) & mask;
    }
}

fn grown(table: &[Slot], above: usize) -> Vec<Slot> {
    let mut size = 8;
    while size <= above {
        size *= 2;
    }
    let mut larger: Vec<Slot> = vec![None; size];
    for entry in table.iter().flatten() {
        if let Some(place) = find(&larger, entry.0, |_| false) {
            larger[place] = Some(*entry);
        }
    }
    larger
}

/// The hash of a text under the seed 0: SipHash-1-3 with a zero key over Python's internal form, which has one, two or
/// four bytes per character.
fn hash(text: &str) -> u64 {
    let widest = text.chars().map(u32::from).max().unwrap_or(0);
    let mut bytes = Vec::with_capacity(text.len());
    for c in text.chars().map(u32::from) {
        let width = match widest {
            0..=0xff => 1,
            0x100..=0xffff => 2,
            _ => 4,
        };
        bytes.extend_from_slice(&c.to_le_bytes()[..width]);
    }
    if bytes.is_empty() {
        return 0;
    }
    match sip13(&bytes) {
        // -1 is Python's mark for an error.
        u64::MAX => u64::MAX - 1,
        hash => hash,
    }
}

fn sip13(bytes: &[u8]) -> u64 {
    fn round(v: &mut [u64; 4]) {
        v[0] = v[0].wrapping_add(v[1]);
        v[2] = v[2].wrapping_add(v[3]);
        v[1] = v[1].rotate_left(13) ^ v[0];
        v[3] = v[3].rotate_left(16) ^ v[2];
        v[0] = v[0].rotate_left(32);
        v[2] = v[2].wrapping_add(v[1]);
        v[0] = v[0].wrapping_add(v[3]);
        v[1] = v[1].rotate_left(17) ^ v[2];
        v[3] = v[3].rotate_left(21) ^ v[0];
        v[2] = v[2].rotate_left(32);
    }
    let mut v: [u64; 4] =
        [0x736f_6d65_7073_6575, 0x646f_7261_6e64_6f6d, 0x6c79_6765_6e65_7261, 0x7465_6462_7974_6573];
    let mut words = bytes.chunks_exact(8);
    for word in &mut words {
        let word = word.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
        v[3] ^= word;
        round(&mut v);
        v[0] ^= word;
    }
    let rest = words.remainder().iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
    let last = (bytes.len() as u64) << 56 | rest;
    v[3] ^= last;
    round(&mut v);
    v[0] ^= last;
    v[2] ^= 0xff;
    for _ in 0..3 {
        round(&mut v);
    }
    v[0] ^ v[1] ^ v[2] ^ v[3]
}
