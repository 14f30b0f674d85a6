//! What the terminal can show, as far as its environment says. Nothing is asked: the answer would be read from the
//! keyboard's stream.

use crossterm::terminal::WindowSize;

/// Names the graphics in place of what the environment looks like.
const GRAPHICS: &str = "COMFYCTL_GRAPHICS";

/// Pixels of a cell of a terminal that does not say.
const USUAL_CELL: (u16, u16) = (8, 16);

/// How pictures get onto the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Graphics {
    Kitty,
    Iterm2,
    Sixel,
    /// Half blocks in colours, which every terminal shows.
    Blocks,
}

impl Graphics {
    pub(crate) fn detect() -> Self {
        Self::of(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
    }

    /// What takes a picture of `Picture::escape_over` away again where text does not write over it.
    pub(crate) fn erase(self, id: u32) -> String {
        match self {
            Self::Kitty => super::kitty::erase(id),
            Self::Iterm2 | Self::Sixel | Self::Blocks => String::new(),
        }
    }

    fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        match variable(GRAPHICS).as_deref() {
            Some("kitty") => return Self::Kitty,
            Some("iterm2") => return Self::Iterm2,
            Some("sixel") => return Self::Sixel,
            Some("blocks") => return Self::Blocks,
            _ => {}
        }
        let is_set = |name: &str| variable(name).is_some();
        let term = variable("TERM").unwrap_or_default();
        // Terminals within terminals keep pictures to themselves, whatever the outer one can do.
        if is_set("TMUX")
            || is_set("STY")
            || ["tmux", "screen", "dumb"].iter().any(|name| term.starts_with(name))
        {
            return Self::Blocks;
        }
        // The only variable that every terminal sets itself; others may be left from the one that it was started in.
        match term.as_str() {
            "xterm-kitty" | "xterm-ghostty" => return Self::Kitty,
            "wezterm" => return Self::Iterm2,
            "mlterm" | "yaft-256color" | "contour" => return Self::Sixel,
            _ if term.starts_with("foot") => return Self::Sixel,
            _ => {}
        }
        match variable("TERM_PROGRAM").as_deref() {
            Some("ghostty") => return Self::Kitty,
            Some("iTerm.app" | "WezTerm" | "mintty" | "rio") => return Self::Iterm2,
            Some(_) => return Self::Blocks,
            None => {}
        }
        let konsole = variable("KONSOLE_VERSION").and_then(|version| version.parse::<u32>().ok());
        if is_set("KITTY_WINDOW_ID") {
            Self::Kitty
        } else if is_set("WEZTERM_PANE") || variable("LC_TERMINAL").is_some_and(|name| name == "iTerm2") {
            Self::Iterm2
        } else if konsole.is_some_and(|version| version >= 220_400) {
            Self::Sixel
        } else {
            Self::Blocks
        }
    }
}

/// How many colours text can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    All,
    /// The 256 of xterm.
    Palette,
}

impl Depth {
    pub(super) fn detect() -> Self {
        Self::of(|name| std::env::var(name).unwrap_or_default())
    }

    fn of(variable: impl Fn(&str) -> String) -> Self {
        let all = matches!(variable("COLORTERM").as_str(), "truecolor" | "24bit")
            || variable("TERM").ends_with("-direct");
        if all { Self::All } else { Self::Palette }
    }
}

/// Pixels of a cell, where the terminal says.
pub(super) fn cell_size() -> (u16, u16) {
    crossterm::terminal::window_size().ok().and_then(|window| cell_of(&window)).unwrap_or(USUAL_CELL)
}

fn cell_of(window: &WindowSize) -> Option<(u16, u16)> {
    let cell = (window.width.checked_div(window.columns)?, window.height.checked_div(window.rows)?);
    // What some terminals say is nonsense.
    ((3..=128).contains(&cell.0) && (3..=256).contains(&cell.1)).then_some(cell)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Graphics {
        Graphics::of(|name| {
            variables.iter().find(|variable| variable.0 == name).map(|variable| variable.1.to_owned())
        })
    }

    #[test]
    fn terminals_are_known_by_their_environment() {
        use Graphics::*;
        assert_eq!(of(&[]), Blocks);
        assert_eq!(of(&[("TERM", "xterm-256color")]), Blocks);
        assert_eq!(of(&[("TERM", "xterm-kitty"), ("TERM_PROGRAM", "Apple_Terminal")]), Kitty);
        assert_eq!(of(&[("TERM", "xterm-256color"), ("KITTY_WINDOW_ID", "1")]), Kitty);
        assert_eq!(
            of(&[("TERM", "xterm-256color"), ("TERM_PROGRAM", "vscode"), ("KITTY_WINDOW_ID", "1")]),
            Blocks
        );
        assert_eq!(of(&[("TERM", "xterm-ghostty")]), Kitty);
        assert_eq!(of(&[("TERM_PROGRAM", "iTerm.app")]), Iterm2);
        assert_eq!(of(&[("TERM", "xterm-256color"), ("LC_TERMINAL", "iTerm2")]), Iterm2);
        assert_eq!(of(&[("TERM_PROGRAM", "WezTerm")]), Iterm2);
        assert_eq!(of(&[("TERM", "foot-extra")]), Sixel);
        assert_eq!(of(&[("KONSOLE_VERSION", "230800")]), Sixel);
        assert_eq!(of(&[("KONSOLE_VERSION", "210400")]), Blocks);
    }

    #[test]
    fn a_terminal_within_a_terminal_has_blocks_unless_it_is_said() {
        let inner = [("TERM", "tmux-256color"), ("KITTY_WINDOW_ID", "1"), ("TMUX", "/tmp/tmux,1,0")];
        assert_eq!(of(&inner), Graphics::Blocks);
        assert_eq!(of(&[("TERM", "screen.xterm-256color"), ("TERM_PROGRAM", "iTerm.app")]), Graphics::Blocks);
        assert_eq!(of(&[inner[0], inner[1], inner[2], (GRAPHICS, "sixel")]), Graphics::Sixel);
    }

    #[test]
    fn the_size_of_a_cell_is_taken_only_where_it_can_be() {
        let window = |columns, rows, width, height| WindowSize { rows, columns, width, height };
        assert_eq!(cell_of(&window(80, 24, 800, 480)), Some((10, 20)));
        assert_eq!(cell_of(&window(80, 24, 0, 0)), None);
        assert_eq!(cell_of(&window(0, 0, 800, 480)), None);
        assert_eq!(cell_of(&window(80, 24, 80, 24)), None);
    }

    #[test]
    fn all_colours_are_used_where_the_terminal_says_so() {
        let depth = |colorterm: &str, term: &str| {
            Depth::of(|name| if name == "TERM" { term.to_owned() } else { colorterm.to_owned() })
        };
        assert_eq!(depth("truecolor", "xterm"), Depth::All);
        assert_eq!(depth("24bit", "xterm"), Depth::All);
        assert_eq!(depth("", "xterm-direct"), Depth::All);
        assert_eq!(depth("", "xterm-256color"), Depth::Palette);
    }
}
