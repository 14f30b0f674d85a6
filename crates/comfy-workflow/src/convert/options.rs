/// What a conversion takes from outside, so that it can be repeated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConvertOptions {
    pub(super) dynamic_prompts: DynamicPrompts,
    pub(super) now: Option<LocalTime>,
    pub(super) keep_placeholders: bool,
}

/// How `{day|night}` in texts that take dynamic prompts is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum DynamicPrompts {
    /// The first alternative.
    #[default]
    First,
    /// One drawn by chance, the same ones for the same seed.
    Random(u64),
}

/// A date and time of day on the user's clock, for `%date:yyyy-MM-dd%` in names of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LocalTime {
    /// The year, such as 2025.
    pub year: i32,
    /// The month from 1.
    pub month: u8,
    /// The day of the month from 1.
    pub day: u8,
    /// The hour from 0 to 23.
    pub hour: u8,
    /// The minute from 0.
    pub minute: u8,
    /// The second from 0.
    pub second: u8,
}

impl ConvertOptions {
    /// The first alternative of every dynamic prompt, and no date.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How dynamic prompts are decided.
    #[must_use]
    pub fn dynamic_prompts(mut self, dynamic_prompts: DynamicPrompts) -> Self {
        self.dynamic_prompts = dynamic_prompts;
        self
    }

    /// Keeps placeholders `{{name}}` in texts, which a [`Template`](crate::Template) fills. The editor takes them for dynamic
    /// prompts, of which `name` is left.
    #[must_use]
    pub fn keep_placeholders(mut self, keep: bool) -> Self {
        self.keep_placeholders = keep;
        self
    }

    /// What the user's clock shows. Without it, `%date:…%` stays as it is, which is said as a warning.
    #[must_use]
    pub fn now(mut self, now: LocalTime) -> Self {
        self.now = Some(now);
        self
    }
}
