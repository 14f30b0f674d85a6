//! Servers on the whole screen, until a key is pressed.

mod draw;
mod draw_panel;
mod panel;
mod terminal;
#[cfg(test)]
mod tests;
mod thumbnails;

use std::time::{Duration, Instant};

use comfy_api_client::{Cancellation, Client, ServerChange, ServerView};
use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use tokio::sync::mpsc;
use tokio::time::sleep;

use self::draw::{Over, Scene, draw};
use self::panel::{Panel, State};
use self::terminal::Screen;
use self::thumbnails::{Made, Thumbnails};
use super::names::{clean, title};
use super::servers::{News, What};
use crate::commands::prompt_id;
use crate::commands::run::job::stopped;
use crate::commands::stop::Stop;
use crate::exit::Exit;
use crate::failure::{Failure, reason};
use crate::settings::{Settings, Target};

/// Between two drawings, however much happens.
const PAUSE: Duration = Duration::from_millis(60);
/// Times run on.
const TICK: Duration = Duration::from_secs(1);
/// How long a note is shown.
const NOTE: Duration = Duration::from_secs(5);

/// What is known of a server, and of what was chosen in it.
struct Watched {
    name: String,
    client: Option<Client>,
    view: ServerView,
    /// Why it could not be connected to, and since when.
    refused: Option<(String, Instant)>,
    thumbnails: Thumbnails,
    /// The prompt id of the chosen job: it stays chosen when it moves up.
    chosen: Option<String>,
}

/// Shows the servers until a key or a signal ends it.
pub(super) async fn show(
    settings: &Settings,
    targets: &[Target],
    mut news: mpsc::Receiver<News>,
    stop: &mut Stop,
) -> Result<(), Failure> {
    let colored = settings.color_on_stdout();
    let mut hangup = Hangup::listen();
    let (made, mut pictures) = mpsc::channel::<Made>(16);
    let (told, mut notes) = mpsc::channel::<String>(4);
    let mut view = View {
        servers: targets.iter().map(Watched::new).collect(),
        chosen: 0,
        over: Over::Nothing,
        asked: None,
        note: None,
        colored,
        made,
        told,
    };
    let mut screen = Screen::enter().map_err(|error| broken(&error))?;
    let mut keys = terminal::events();
    loop {
        screen
            .draw(|frame| draw(&view.scene(), frame.area(), frame.buffer_mut()))
            .map_err(|error| broken(&error))?;
        let drawn = Instant::now();
        let happened = tokio::select! {
            news = news.recv() => match news {
                Some(news) => {
                    view.take_in(news)?;
                    Happened::Something
                }
                None => Happened::End,
            },
            event = keys.recv() => match event {
                Some(event) => view.hear(&event),
                None => return Err(broken(&std::io::Error::other("it cannot be read any more"))),
            },
            Some((server, id, picture)) = pictures.recv() => view.take_picture(server, id, picture),
            Some(note) = notes.recv() => view.say(note),
            () = sleep(TICK) => Happened::Something,
            () = stop.wait() => Happened::Stop,
            () = hangup.wait() => Happened::Stop,
        };
        match happened {
            Happened::Key => {}
            Happened::Something => {
                // What else comes until then is drawn along with it.
                let pause = sleep(PAUSE.saturating_sub(drawn.elapsed()));
                tokio::pin!(pause);
                loop {
                    tokio::select! {
                        biased;
                        () = &mut pause => break,
                        Some(news) = news.recv() => view.take_in(news)?,
                    }
                }
            }
            Happened::End => return Ok(()),
            Happened::Stop => return Err(stopped("stopped")),
        }
    }
}

enum Happened {
    /// It is answered at once.
    Key,
    Something,
    End,
    Stop,
}

struct View {
    servers: Vec<Watched>,
    chosen: usize,
    over: Over,
    /// The job that the question is about.
    asked: Option<(Client, String)>,
    note: Option<(String, Instant)>,
    colored: bool,
    made: mpsc::Sender<Made>,
    told: mpsc::Sender<String>,
}

impl View {
    fn scene(&self) -> Scene {
        let over = match &self.over {
            Over::Nothing => Over::Nothing,
            Over::Help => Over::Help,
            Over::Question(title) => Over::Question(title.clone()),
        };
        let place = self.servers.get(self.chosen).map_or(0, Watched::place);
        let note = self.note.as_ref().filter(|(_, since)| since.elapsed() < NOTE);
        Scene {
            panels: self.servers.iter().map(Watched::panel).collect(),
            chosen: (self.chosen, place),
            over,
            note: note.map(|(note, _)| note.clone()),
            colored: self.colored,
        }
    }

    fn take_in(&mut self, News { server, what }: News) -> Result<(), Failure> {
        let (colored, made) = (self.colored, &self.made);
        let Some(watched) = self.servers.get_mut(server) else { return Ok(()) };
        match what {
            What::Connected(client) => {
                watched.refused = None;
                watched.client = Some(client);
            }
            // A mistake of the user does not mend itself.
            What::Refused(failure) if failure.exit == Exit::Usage => return Err(failure),
            What::Refused(failure) => {
                let since = watched.refused.take().map_or_else(Instant::now, |(_, since)| since);
                watched.refused = Some((clean(&failure.report.message), since));
            }
            What::Changed(change, view) => {
                watched.view = *view;
                let may_have_pictures = matches!(change, ServerChange::Reached | ServerChange::Ended(_));
                if let (true, true, Some(client)) = (colored, may_have_pictures, &watched.client) {
                    watched.thumbnails.ask(server, client, &watched.view, made);
                }
            }
            What::Message(_) => {}
        }
        Ok(())
    }

    fn take_picture(
        &mut self,
        server: usize,
        id: String,
        picture: Option<crate::render::picture::Picture>,
    ) -> Happened {
        if let (Some(watched), Some(picture)) = (self.servers.get_mut(server), picture) {
            watched.thumbnails.made.insert(id, std::sync::Arc::new(picture));
        }
        Happened::Something
    }

    fn say(&mut self, note: String) -> Happened {
        self.note = Some((note, Instant::now()));
        Happened::Something
    }

    fn hear(&mut self, event: &Event) -> Happened {
        match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => self.key(*key),
            _ => Happened::Key,
        }
    }

    fn key(&mut self, key: KeyEvent) -> Happened {
        self.note = None;
        let with_control = key.modifiers.contains(KeyModifiers::CONTROL);
        if with_control && matches!(key.code, KeyCode::Char('c' | 'd')) {
            return Happened::Stop;
        }
        if self.over != Over::Nothing {
            let is_question = self.over != Over::Help;
            self.over = Over::Nothing;
            let asked = self.asked.take();
            if let (true, Some((client, id)), KeyCode::Char('y' | 'Y')) = (is_question, asked, key.code) {
                self.cancel(client, id);
            }
            return Happened::Key;
        }
        match key.code {
            KeyCode::Char('q') | KeyCode::Esc => return Happened::End,
            KeyCode::Char('?' | 'h') => self.over = Over::Help,
            KeyCode::Tab | KeyCode::Right => self.chosen = (self.chosen + 1) % self.servers.len().max(1),
            KeyCode::BackTab | KeyCode::Left => {
                self.chosen = self.chosen.checked_sub(1).unwrap_or(self.servers.len().saturating_sub(1));
            }
            KeyCode::Up | KeyCode::Char('k') => self.choose(|place| place.saturating_sub(1)),
            KeyCode::Down | KeyCode::Char('j') => self.choose(|place| place + 1),
            KeyCode::Home => self.choose(|_| 0),
            KeyCode::End => self.choose(|_| usize::MAX),
            KeyCode::Char('c') => self.ask(),
            _ => {}
        }
        Happened::Key
    }

    fn choose(&mut self, to: impl FnOnce(usize) -> usize) {
        if let Some(watched) = self.servers.get_mut(self.chosen) {
            let ids = watched.ids();
            let place = to(watched.place()).min(ids.len().saturating_sub(1));
            watched.chosen = ids.get(place).map(|id| (*id).to_owned());
        }
    }

    fn ask(&mut self) {
        let Some(watched) = self.servers.get_mut(self.chosen) else { return };
        let id = watched.ids().get(watched.place()).map(|id| (*id).to_owned());
        let job = id.as_ref().and_then(|id| watched.view.job(id));
        match (job, &watched.client, id.clone()) {
            (Some(job), Some(client), Some(id)) => {
                let short = clean(prompt_id::short(&id));
                self.over = Over::Question(format!("{} ({short})", title(job)));
                self.asked = Some((client.clone(), id));
                // The question is about this one, whatever moves meanwhile.
                watched.chosen = self.asked.as_ref().map(|(_, id)| id.clone());
            }
            _ => self.note = Some(("there is no job to cancel".to_owned(), Instant::now())),
        }
    }

    fn cancel(&mut self, client: Client, id: String) {
        let told = self.told.clone();
        self.note = Some(("cancelling…".to_owned(), Instant::now()));
        tokio::spawn(async move {
            let note = match client.cancel(&id).await {
                Ok(Cancellation::Removed) => "removed from the queue".to_owned(),
                Ok(Cancellation::Interrupted) => "interrupted; it stops at its next node or step".to_owned(),
                Ok(_) => "there was nothing to cancel any more".to_owned(),
                Err(error) => format!("not cancelled: {}", clean(error.message())),
            };
            // Nobody may be looking any more.
            let _ = told.send(note).await;
        });
    }
}

impl Watched {
    fn new(target: &Target) -> Self {
        Self {
            name: target.name.clone(),
            client: None,
            view: ServerView::default(),
            refused: None,
            thumbnails: Thumbnails::default(),
            chosen: None,
        }
    }

    /// The jobs that can be chosen.
    fn ids(&self) -> Vec<&str> {
        let running = self.view.running.iter().map(|running| &running.job);
        running.chain(&self.view.waiting).map(|job| job.prompt_id.as_str()).collect()
    }

    /// The place of the chosen job; the first one where it has gone.
    fn place(&self) -> usize {
        let chosen = self.chosen.as_deref();
        chosen.and_then(|chosen| self.ids().iter().position(|id| *id == chosen)).unwrap_or(0)
    }

    fn panel(&self) -> Panel {
        let url = self.client.as_ref().map(Client::url).unwrap_or_default();
        match (&self.client, &self.refused) {
            (None, Some((reason, since))) => {
                let state = State::Down { reason: reason.clone(), seconds: since.elapsed().as_secs() };
                Panel::new(&self.name, &url, state)
            }
            (None, None) => Panel::new(&self.name, &url, State::Connecting),
            _ => Panel::of(&self.name, &url, &self.view, &self.thumbnails.made),
        }
    }
}

/// The terminal was closed.
struct Hangup {
    #[cfg(unix)]
    signal: Option<tokio::signal::unix::Signal>,
}

impl Hangup {
    fn listen() -> Self {
        #[cfg(unix)]
        let signal = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()).ok();
        Self {
            #[cfg(unix)]
            signal,
        }
    }

    async fn wait(&mut self) {
        #[cfg(unix)]
        if let Some(signal) = &mut self.signal {
            signal.recv().await;
            return;
        }
        std::future::pending().await
    }
}

fn broken(error: &std::io::Error) -> Failure {
    Failure::new(Exit::Failure, "terminal", format!("the terminal cannot be drawn on: {}", reason(error)))
        .with_hint("`--no-progress` writes lines instead")
}
