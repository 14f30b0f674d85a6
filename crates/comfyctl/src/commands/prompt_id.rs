//! Ids of prompts as people give them: whole, or their first characters.

use comfy_api_client::Client;

use crate::exit::Exit;
use crate::failure::{Failure, one_line};

/// Fewest characters of an id that is not whole.
const SHORTEST: usize = 4;

/// Ids that an error lists at most.
const MOST_LISTED: usize = 10;

/// The whole id of the prompt that somebody means. Whether the server knows one that was given whole shows when it is
/// asked for.
pub(crate) async fn find(client: &Client, given: &str) -> Result<String, Failure> {
    let given = [given.to_owned()];
    let found = find_all(client, &given).await?.pop().flatten();
    found.ok_or_else(|| unknown(&given))
}

/// The same for several, with `None` for those that the server does not know.
pub(crate) async fn find_all(client: &Client, given: &[String]) -> Result<Vec<Option<String>>, Failure> {
    // What is cut off in a table ends so, and is copied along.
    let given: Vec<&str> = given.iter().map(|given| given.trim().trim_end_matches('…')).collect();
    let known = match given.as_slice() {
        all if all.iter().all(|given| is_whole(given)) => Vec::new(),
        [one] => client.find_prompts(one).await?,
        _ => client.find_prompts("").await?,
    };
    given.iter().map(|given| pick(given, &known)).collect()
}

fn pick(given: &str, known: &[String]) -> Result<Option<String>, Failure> {
    // Servers before 0.30.0 take any text for an id.
    if is_whole(given) || known.iter().any(|id| id == given) {
        return Ok(Some(given.to_owned()));
    }
    let shown = one_line(given);
    if given.chars().count() < SHORTEST {
        let message = format!("`{shown}` is too short for the id of a prompt");
        return Err(Failure::usage("usage", message)
            .with_hint(format!("give the whole id, or at least its first {SHORTEST} characters")));
    }
    let fitting: Vec<&String> = known.iter().filter(|id| id.starts_with(given)).collect();
    match fitting.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some((*one).clone())),
        several => {
            let mut message = format!("{} prompts have ids that begin with `{shown}`", several.len());
            for id in several.iter().take(MOST_LISTED) {
                message.push_str(&format!("\n{}", one_line(id)));
            }
            if several.len() > MOST_LISTED {
                message.push_str("\n…");
            }
            Err(Failure::usage("ambiguous", message).with_hint("give more of the id"))
        }
    }
}

/// The error for prompts that are not there.
pub(crate) fn unknown(ids: &[String]) -> Failure {
    let ids: Vec<String> = ids.iter().map(|id| format!("`{}`", one_line(id))).collect();
    let message = match ids.as_slice() {
        [one] => format!("no prompt {one} in the queue or history"),
        several => format!("no prompts {} in the queue or history", several.join(", ")),
    };
    Failure::new(Exit::Failure, "not_found", message)
        .with_hint("`comfyctl queue` and `comfyctl history` list what the server knows; a restart forgets it")
}

/// As much of an id as people need, where room is scarce. Only ids as servers make them differ in their beginnings.
pub(crate) fn short(id: &str) -> &str {
    if is_whole(id) { &id[..8] } else { id }
}

/// Whether it is an id as servers make them: a UUID.
fn is_whole(id: &str) -> bool {
    let is_part = |(place, byte): (usize, u8)| match place {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    id.len() == 36 && id.bytes().enumerate().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "3f2a9c1b-0000-4000-8000-00000000000a";

    fn known() -> Vec<String> {
        [WHOLE, "3f2a9c1c-0000-4000-8000-00000000000a", "my-job-1", "my-job-12", "7"].map(Into::into).into()
    }

    #[test]
    fn beginnings_that_fit_one_prompt_are_enough() {
        for (given, expected) in
            [("3f2a9c1b", WHOLE), ("my-job-12", "my-job-12"), ("my-job-1", "my-job-1"), ("7", "7")]
        {
            assert_eq!(pick(given, &known()).unwrap().as_deref(), Some(expected));
        }
        assert_eq!(pick("77777", &known()).unwrap(), None);
        assert_eq!(pick(WHOLE, &[]).unwrap().as_deref(), Some(WHOLE), "it is not looked for");
    }

    #[test]
    fn what_is_short_or_fits_several_is_wrong_usage() {
        assert_eq!(pick("3f2", &known()).unwrap_err().report.code, "usage");
        let several = pick("3f2a", &known()).unwrap_err();
        assert_eq!((several.exit, several.report.code), (Exit::Usage, "ambiguous"));
        assert_eq!(several.report.message.lines().count(), 3);
    }

    #[test]
    fn only_ids_that_servers_make_are_shortened() {
        assert_eq!(short(WHOLE), "3f2a9c1b");
        assert_eq!(
            short("my-job-00000000000000000000000000000001"),
            "my-job-00000000000000000000000000000001"
        );
    }
}
