use std::error::Error as _;
use std::path::Path;

use comfy_sim::{Assets, Builder, Error, ErrorKind, Sim};
use serde_json::json;

use crate::args::Serve;
use crate::commands::stop::Stop;
use crate::exit::Exit;
use crate::failure::{Failure, one_line, reason};
use crate::printer::Printer;

/// Runs the simulator until it is stopped.
pub(crate) async fn serve(printer: &Printer, args: Serve) -> Exit {
    let mut stop = Stop::listen();
    let started = match builder(&args) {
        Ok(builder) => builder.start().await.map_err(|error| not_started(&args, &error)),
        Err(failure) => Err(failure),
    };
    let sim = match started {
        Ok(sim) => sim,
        Err(failure) => {
            printer.error(&failure);
            return failure.exit;
        }
    };
    if printer.is_json() {
        printer.json(&json!({"type": "listening", "url": sim.url()}));
    } else {
        printer.line(&format!("listening on {}", sim.url()));
        printer.note(match args.folders.base_dir {
            Some(_) => "Ctrl-C stops the simulator",
            None => "Ctrl-C stops the simulator and removes its files",
        });
    }
    stop.wait().await;
    // A node that computes is not interrupted. Who asks twice does not want to wait for it.
    tokio::select! {
        () = sim.shutdown() => Exit::Success,
        () = stop.wait() => Exit::Stopped,
    }
}

/// The simulator that the options describe.
fn builder(args: &Serve) -> Result<Builder, Failure> {
    let (nodes, folders, server) = (&args.nodes, &args.folders, &args.server);
    let mut builder = Sim::builder()
        .port(args.port)
        .version(args.version)
        .any_model(nodes.any_model)
        .test_nodes(nodes.test_nodes)
        .disable_api_nodes(nodes.disable_api_nodes)
        .node_delay(nodes.node_delay.unwrap_or_default())
        .step_time(nodes.step_time.unwrap_or_default())
        .preview_method(nodes.preview_method)
        .cache(nodes.cache_policy())
        .multi_user(server.multi_user)
        .compress_responses(server.enable_compress_response_body)
        .assets(match (server.enable_assets, server.enable_asset_hashing) {
            (false, _) => Assets::Off,
            (true, false) => Assets::On,
            (true, true) => Assets::Hashed,
        });
    if let Some(path) = &nodes.object_info {
        let bytes = std::fs::read(path).map_err(|error| {
            Failure::of_file("object_info", &format!("cannot read {}", shown(path)), &error)
        })?;
        builder = builder.object_info(bytes);
    }
    for (class, time) in &nodes.node_time {
        builder = builder.node_time(class, *time);
    }
    if let Some(path) = &nodes.models {
        builder = builder.models(folder(path)?);
    }
    if let Some(path) = &folders.front_end_root {
        builder = builder.front_end_root(folder(path)?);
    }
    if let Some(path) = &folders.base_dir {
        builder = builder.base_dir(path);
    }
    if let Some(origin) = &server.enable_cors_header {
        builder = builder.cors_origin(origin);
    }
    if let Some(megabytes) = server.max_upload_size {
        builder = builder.max_upload_megabytes(megabytes);
    }
    for fault in &args.fault {
        builder = builder.fault(fault.clone());
    }
    for (name, value) in &server.feature_flag {
        builder = builder.feature_flag(name, value);
    }
    Ok(builder)
}

/// A folder that is read from and has to be there.
fn folder(path: &Path) -> Result<&Path, Failure> {
    match std::fs::read_dir(path) {
        Ok(_) => Ok(path),
        Err(error) => {
            Err(Failure::of_file("folder", &format!("cannot use the folder {}", shown(path)), &error))
        }
    }
}

/// Why the simulator did not start, in the terms of the options.
fn not_started(args: &Serve, error: &Error) -> Failure {
    let path = |path: &Option<std::path::PathBuf>| path.as_deref().map(shown).unwrap_or_default();
    let cause = error.source().and_then(|cause| cause.downcast_ref()).map(reason);
    let because = |text: String| match &cause {
        Some(cause) => format!("{text}: {cause}"),
        None => text,
    };
    let failure = match error.kind() {
        ErrorKind::Listen => Failure::usage("serve", because(format!("cannot serve on port {}", args.port)))
            .with_hint("choose another port with `--port`, or 0 for a free one"),
        ErrorKind::Nodes if args.nodes.object_info.is_some() => Failure::usage(
            "object_info",
            one_line(&format!("cannot use {}: {error}", path(&args.nodes.object_info))),
        )
        .with_hint("give what a server answers at `/object_info`, as JSON or packed by gzip"),
        ErrorKind::Folder if args.folders.base_dir.is_some() => Failure::usage(
            "folder",
            because(format!("cannot use the folder {}", path(&args.folders.base_dir))),
        )
        .with_hint("choose a folder that you may write to with `--base-dir`"),
        _ => Failure::new(Exit::Failure, "serve", because(error.to_string())),
    };
    failure.caused_by(error)
}

fn shown(path: &Path) -> String {
    one_line(&path.display().to_string())
}
