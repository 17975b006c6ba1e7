//! Files on disk: the open folders of a thread, the file of a request, and its content.
//!
//! Opening a file and reading its metadata and content happen on the serving threads, as in nginx without `aio`: mostly they read what the
//! system has in memory, and a wait for a disk holds up the other connections of the thread.

pub mod content;
pub mod folders;
pub mod lookup;
