//! Requests that a file answers.

use std::sync::Arc;
use std::time::SystemTime;

use crate::core::request::files::media_type::media_type;
use crate::core::request::files::response::{FileResponse, Representation};
use crate::core::request::files::validators::Validators;
use crate::core::request::listener_role::ListenerRole;
use crate::core::request::outcome::Conclusion;
use crate::engine::exchange::Exchange;
use crate::engine::exchange::client_side::ClientSide;
use crate::engine::files::content::FileContent;
use crate::engine::files::lookup::{Looked, OpenedFile, look_up, status_of};
use aralez_decision::answer::Answer;
use aralez_decision::decide::{ForwardedTarget, Serve};
use aralez_decision::file_name::FileName;
use aralez_decision::table::CompiledRoute;
use aralez_proto::model::{Files, FolderPath, RedirectStatus};
use aralez_runtime::beneath::Unusable;

/// A request for a file.
#[derive(Debug)]
pub(super) struct FileRequest {
    route: Arc<CompiledRoute>,
    files: Files,
    name: FileName,
    target: ForwardedTarget,
}

impl FileRequest {
    /// Returns the request of a decision.
    pub(super) fn of(serve: Serve<'_>) -> Self {
        Self {
            route: Arc::clone(serve.route),
            files: serve.files.clone(),
            name: serve.name,
            target: serve.path_and_query,
        }
    }
}

impl<C: ClientSide> Exchange<'_, C> {
    /// Answers a request with the file that it asks for. The file is closed when the response ends, in whatever way.
    pub(super) async fn serve(&mut self, wanted: &FileRequest) -> Conclusion {
        let looked = self.look_up(wanted);
        let route = Some(&*wanted.route);
        match looked {
            Ok(Looked::File(found)) => {
                let (answer, mut content) = self.respond_with(wanted, found);
                self.answer(&answer, route, Some(&mut content)).await
            }
            Ok(Looked::Slash) => {
                let location = with_slash(wanted.target.text(self.client.request().target));
                let answer = Answer::redirect(RedirectStatus::MovedPermanently, &location);
                self.answer(&answer, route, None).await
            }
            Err(reason) => {
                let answer = Answer::of(status_of(&reason));
                self.answer(&answer, route, None).await
            }
        }
    }

    fn look_up(&self, wanted: &FileRequest) -> Result<Looked, Unusable> {
        let FileRequest { files, name, .. } = wanted;
        let root = self.root_of(&files.folder).ok_or(Unusable::Outside)?;
        let folder = self.worker.folders.get(root, &files.folder, self.now)?;
        look_up(&folder, files, name, &self.client.request().fields)
    }

    /// Returns the root of a folder. `None` if this node does not serve it: a cached table may be older than the roots.
    fn root_of<'f>(&'f self, folder: &'f FolderPath) -> Option<&'f FolderPath> {
        match self.role {
            ListenerRole::Routes => self.worker.engine.file_roots.root_of(folder),
            ListenerRole::FileServer => Some(folder),
        }
    }

    fn respond_with(&self, wanted: &FileRequest, found: OpenedFile) -> (Answer, FileContent) {
        let OpenedFile {
            file,
            length,
            modified,
            name,
            encoding,
        } = found;
        let now = SystemTime::now();
        let modified = modified.unwrap_or(now);
        let representation = Representation {
            length,
            validators: Validators::of(length, modified, encoding, now),
            media_type: media_type(&name),
            encoding,
            varies: wanted.files.precompressed,
        };
        let request = self.client.request();
        let head = request.method == "HEAD";
        let boundary = || String::from_utf8_lossy(&self.worker.ids.next().request_text()).into();
        let FileResponse { answer, parts } =
            representation.respond(&request.fields, head, boundary);
        (answer, FileContent::new(file, parts))
    }
}

/// Returns a path and query with a slash at the end of the path.
fn with_slash(target: &str) -> String {
    match target.split_once('?') {
        Some((path, query)) => format!("{path}/?{query}"),
        None => format!("{target}/"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_is_added_before_the_query() {
        assert_eq!(with_slash("/docs"), "/docs/");
        assert_eq!(with_slash("/docs?a=/b?c"), "/docs/?a=/b?c");
    }
}
