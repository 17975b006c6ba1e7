//! The parser's input, limited by a window.
//!
//! The parser buffers a whole scalar, and every token of a collection in brackets, before it emits an event. The window bounds that buffer:
//! if [`MAX_SPAN`] bytes are read without an event, the input pretends to end.

use std::cell::Cell;
use std::rc::Rc;

use saphyr_parser::Input;

use crate::yaml::MAX_SPAN;

/// The parser's read position and its limit.
#[derive(Debug)]
pub(super) struct Window {
    position: Cell<usize>,
    limit: Cell<usize>,
    exceeded: Cell<bool>,
}

impl Window {
    pub(super) fn new() -> Rc<Self> {
        Rc::new(Self {
            position: Cell::new(0),
            limit: Cell::new(MAX_SPAN),
            exceeded: Cell::new(false),
        })
    }

    /// Moves the window forward after an event was emitted.
    pub(super) fn advance(&self) {
        self.limit.set(self.position.get() + MAX_SPAN);
    }

    /// Reports whether the input was cut off.
    pub(super) fn exceeded(&self) -> bool {
        self.exceeded.get()
    }
}

/// A text read through a window.
#[derive(Debug)]
pub(super) struct Windowed<'s> {
    rest: &'s str,
    len: usize,
    asked: usize,
    window: Rc<Window>,
}

impl<'s> Windowed<'s> {
    pub(super) fn new(text: &'s str, window: Rc<Window>) -> Self {
        Self {
            rest: text,
            len: text.len(),
            asked: 0,
            window,
        }
    }

    fn check(&mut self) {
        let position = self.len - self.rest.len();
        if position > self.window.limit.get() {
            self.window.exceeded.set(true);
            self.rest = "";
        } else if !self.rest.is_empty() {
            self.window.position.set(position);
        }
    }

    fn byte(&self, index: usize) -> u8 {
        self.rest.as_bytes().get(index).copied().unwrap_or(0)
    }
}

impl Input for Windowed<'_> {
    #[inline]
    fn lookahead(&mut self, count: usize) {
        self.asked = self.asked.max(count);
        self.check();
    }

    #[inline]
    fn buflen(&self) -> usize {
        self.asked
    }

    #[inline]
    fn bufmaxlen(&self) -> usize {
        128
    }

    #[inline]
    fn raw_read_ch(&mut self) -> char {
        let next = self.peek();
        self.skip();
        next
    }

    #[inline]
    fn raw_read_non_breakz_ch(&mut self) -> Option<char> {
        self.check();
        let next = self.peek();
        if matches!(next, '\0' | '\n' | '\r') {
            return None;
        }
        self.skip();
        Some(next)
    }

    #[inline]
    fn skip(&mut self) {
        if self.byte(0) < 0x80 {
            self.rest = self.rest.get(1..).unwrap_or("");
        } else {
            self.skip_n(1);
        }
    }

    #[inline]
    fn skip_n(&mut self, count: usize) {
        let mut chars = self.rest.chars();
        for _ in 0..count {
            chars.next();
        }
        self.rest = chars.as_str();
    }

    #[inline]
    fn peek(&self) -> char {
        match self.byte(0) {
            ascii @ 0..0x80 => char::from(ascii),
            _ => self.rest.chars().next().unwrap_or('\0'),
        }
    }

    #[inline]
    fn peek_nth(&self, n: usize) -> char {
        self.rest.chars().nth(n).unwrap_or('\0')
    }

    fn next_2_are(&self, first: char, second: char) -> bool {
        self.peek() == first && self.peek_nth(1) == second
    }

    fn next_3_are(&self, first: char, second: char, third: char) -> bool {
        self.next_2_are(first, second) && self.peek_nth(2) == third
    }

    #[inline]
    fn next_is_document_indicator(&self) -> bool {
        self.next_is_document_start() || self.next_is_document_end()
    }

    #[inline]
    fn next_is_document_start(&self) -> bool {
        self.rest.starts_with("---") && ends_indicator(self.byte(3))
    }

    #[inline]
    fn next_is_document_end(&self) -> bool {
        self.rest.starts_with("...") && ends_indicator(self.byte(3))
    }

    /// Skips the rest of a comment. Comments are not buffered, so they do not count against the window.
    fn skip_while_non_breakz(&mut self) -> usize {
        let end = self
            .rest
            .bytes()
            .position(|byte| matches!(byte, 0 | b'\n' | b'\r'))
            .unwrap_or(self.rest.len());
        let (comment, rest) = self.rest.split_at(end);
        self.rest = rest;
        self.window.limit.set(self.window.limit.get() + end);
        comment.chars().count()
    }
}

const fn ends_indicator(byte: u8) -> bool {
    matches!(byte, 0 | b' ' | b'\t' | b'\n' | b'\r')
}
