//! Colours: of types, and those that the user gave to nodes and groups.

/// A colour as three parts from 0 to 255.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Rgb(pub(super) u8, pub(super) u8, pub(super) u8);

/// Hues, in degrees, and saturations of the types that every server has; other types get a hue from their name.
const KNOWN: [(&str, f64, f64); 22] = [
    ("MODEL", 258.0, 0.62),
    ("CLIP", 50.0, 0.90),
    ("VAE", 0.0, 0.80),
    ("CONDITIONING", 30.0, 0.92),
    ("LATENT", 310.0, 0.70),
    ("IMAGE", 211.0, 0.82),
    ("MASK", 130.0, 0.45),
    ("VIDEO", 188.0, 0.68),
    ("AUDIO", 165.0, 0.62),
    ("INT", 200.0, 0.28),
    ("FLOAT", 95.0, 0.35),
    ("STRING", 80.0, 0.48),
    ("BOOLEAN", 345.0, 0.42),
    ("COMBO", 235.0, 0.22),
    ("CONTROL_NET", 150.0, 0.75),
    ("CLIP_VISION", 225.0, 0.70),
    ("CLIP_VISION_OUTPUT", 20.0, 0.45),
    ("STYLE_MODEL", 62.0, 0.60),
    ("SAMPLER", 285.0, 0.45),
    ("SIGMAS", 108.0, 0.60),
    ("GUIDER", 195.0, 0.90),
    ("NOISE", 15.0, 0.18),
];

/// The colour of a type on a light and on a dark ground.
pub(super) fn of_type(name: &str) -> (Rgb, Rgb) {
    // Of a type that may be several, the first decides.
    let name = name.split(',').next().unwrap_or_default().trim();
    if name.is_empty() || name == "*" {
        return (Rgb(0x7a, 0x80, 0x8c), Rgb(0xa3, 0xa9, 0xb5));
    }
    let known = KNOWN.iter().find(|(known, _, _)| *known == name);
    let (hue, saturation) =
        known.map_or_else(|| (f64::from(hash(name) % 360), 0.55), |known| (known.1, known.2));
    (hsl(hue, saturation, 0.45), hsl(hue, saturation, 0.66))
}

/// FNV-1a: the same name has the same colour in every drawing.
fn hash(name: &str) -> u32 {
    name.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

impl Rgb {
    /// Reads `#rgb`, `#rgba`, `#rrggbb` or `#rrggbbaa`. Other forms of CSS are not trusted.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let digits = text.trim().strip_prefix('#')?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        let part = |from: usize, length: usize| {
            let digits = digits.get(from..from + length)?;
            let value = u8::from_str_radix(digits, 16).ok()?;
            Some(if length == 1 { value * 17 } else { value })
        };
        match digits.len() {
            3 | 4 => Some(Self(part(0, 1)?, part(1, 1)?, part(2, 1)?)),
            6 | 8 => Some(Self(part(0, 2)?, part(2, 2)?, part(4, 2)?)),
            _ => None,
        }
    }

    pub(super) fn css(self) -> String {
        format!("#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }

    /// Hue in degrees, saturation and lightness from 0 to 1.
    fn to_hsl(self) -> (f64, f64, f64) {
        let [red, green, blue] = [self.0, self.1, self.2].map(|part| f64::from(part) / 255.0);
        let (most, least) = (red.max(green).max(blue), red.min(green).min(blue));
        let (lightness, range) = ((most + least) / 2.0, most - least);
        if range == 0.0 {
            return (0.0, 0.0, lightness);
        }
        let saturation = range / (1.0 - (2.0 * lightness - 1.0).abs()).max(f64::EPSILON);
        let sixth = if most == red {
            ((green - blue) / range).rem_euclid(6.0)
        } else if most == green {
            (blue - red) / range + 2.0
        } else {
            (red - green) / range + 4.0
        };
        (60.0 * sixth, saturation, lightness)
    }

    /// The same hue at another lightness.
    pub(super) fn with_lightness(self, lightness: f64) -> Self {
        let (hue, saturation, _) = self.to_hsl();
        hsl(hue, saturation.min(1.0), lightness)
    }

    /// How bright it looks, from 0 to 1.
    pub(super) fn brightness(self) -> f64 {
        (0.299 * f64::from(self.0) + 0.587 * f64::from(self.1) + 0.114 * f64::from(self.2)) / 255.0
    }

    /// A colour that was chosen on the editor's dark ground, as it looks on a light one.
    pub(super) fn on_light(self, lightness: f64) -> Self {
        if self.brightness() > 0.6 { self } else { self.with_lightness(lightness) }
    }
}

fn hsl(hue: f64, saturation: f64, lightness: f64) -> Rgb {
    let part = |offset: f64| {
        let k = (offset + hue / 30.0).rem_euclid(12.0);
        let amplitude = saturation * lightness.min(1.0 - lightness);
        let value = lightness - amplitude * (k - 3.0).min(9.0 - k).clamp(-1.0, 1.0);
        (value * 255.0).round() as u8
    };
    Rgb(part(0.0), part(8.0), part(4.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_hexadecimal_or_none() {
        assert_eq!(Rgb::parse("#432"), Some(Rgb(0x44, 0x33, 0x22)));
        assert_eq!(Rgb::parse(" #4F0074 "), Some(Rgb(0x4f, 0x00, 0x74)));
        assert_eq!(Rgb::parse("#3f5159cc"), Some(Rgb(0x3f, 0x51, 0x59)));
        for other in ["red", "#12", "#ggg", "url(x)", "", "#é1", "#+1+1+1"] {
            assert_eq!(Rgb::parse(other), None, "{other}");
        }
    }

    #[test]
    fn another_lightness_keeps_the_hue() {
        let brown = Rgb(0x66, 0x55, 0x33);
        let light = brown.with_lightness(0.9);
        assert!(light.brightness() > 0.85);
        assert!((light.to_hsl().0 - brown.to_hsl().0).abs() < 3.0);
    }

    #[test]
    fn a_type_has_one_colour_in_all_drawings() {
        assert_eq!(of_type("IMAGE,MASK"), of_type("IMAGE"));
        assert_eq!(of_type("SOME_PACKS_TYPE"), of_type("SOME_PACKS_TYPE"));
        assert_ne!(of_type("SOME_PACKS_TYPE"), of_type("OTHER"));
    }
}
