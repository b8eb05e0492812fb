//! Texts that are read and not run: literals, and the imports of programs.

use azr_wire::{Literal, Request, Response};

use crate::answer::Answer;
use crate::cancel::Cancel;
use crate::error::Error;
use crate::limits::Limits;
use crate::nesting::too_deep;
use crate::request::{Budget, Job, RunRequest};
use crate::sandbox::Sandbox;

/// Literals or programs that one guest parses.
const PARSED_TOGETHER: usize = 64;

impl Sandbox {
    /// Reads each text as a literal of plain data, in a guest. Nothing is executed.
    pub fn literals(&self, texts: &[String], cancel: &Cancel) -> Vec<Result<Literal, Error>> {
        let value_bytes = self.limits().value_bytes;
        self.parse(
            texts,
            cancel,
            |texts| Request::Literals { texts, value_bytes },
            |response| match response {
                Response::Literals(literals) => Some(literals),
                _ => None,
            },
            Literal::Invalid,
        )
    }

    /// The modules that each program imports, by its syntax; or why it does not parse.
    pub fn imports(&self, programs: &[String], cancel: &Cancel) -> Vec<Result<Result<Vec<String>, String>, Error>> {
        self.parse(
            programs,
            cancel,
            Request::Imports,
            |response| match response {
                Response::Imports(imports) => Some(imports),
                _ => None,
            },
            Err,
        )
    }

    /// Has guests parse texts, many in one guest; a text that brings its guest down is parsed alone again.
    fn parse<T>(
        &self,
        texts: &[String],
        cancel: &Cancel,
        request: impl Fn(Vec<String>) -> Request,
        read: impl Fn(Response) -> Option<Vec<T>>,
        refused: impl Fn(String) -> T,
    ) -> Vec<Result<T, Error>> {
        let limits = *self.limits();
        // What is refused without parsing, in its place; the rest goes to the guests.
        let problem = |text: &String| {
            if text.len() > limits.source_bytes as usize {
                return Some(format!("{} bytes, and the limit is {}", text.len(), limits.source_bytes));
            }
            too_deep(text, limits.nesting).map(|(_, why)| why.to_owned())
        };
        let mut results: Vec<Option<Result<T, Error>>> =
            texts.iter().map(|text| problem(text).map(|why| Ok(refused(why)))).collect();
        let open: Vec<usize> = (0..texts.len()).filter(|&at| results[at].is_none()).collect();
        let job = |places: &[usize]| -> Job {
            let texts: Vec<String> = places.iter().map(|&at| texts[at].clone()).collect();
            let bytes = texts.iter().map(String::len).sum::<usize>() * 4 + (64 << 10) * places.len();
            parse_job(&request(texts), &limits, bytes)
        };
        for together in [PARSED_TOGETHER, 1] {
            let left: Vec<usize> = open.iter().copied().filter(|&at| results[at].is_none()).collect();
            let groups: Vec<&[usize]> = left.chunks(together).collect();
            let jobs = groups.iter().map(|places| job(places)).collect();
            for (places, ran) in groups.iter().zip(self.run_jobs(jobs, cancel)) {
                match ran.into_iter().next().expect("one result of a job without calls") {
                    Ok((Answer::Response(bytes), _)) => {
                        let answers = Response::decode(&bytes).ok().and_then(&read);
                        let answers = answers.filter(|answers| answers.len() == places.len());
                        let Some(answers) = answers else {
                            for &at in *places {
                                let why = "it did not answer every text".to_owned();
                                results[at] = Some(Err(Error::GuestContract(why)));
                            }
                            continue;
                        };
                        for (&at, answer) in places.iter().zip(answers) {
                            results[at] = Some(Ok(answer));
                        }
                    }
                    Ok((Answer::Trapped { .. }, _)) if places.len() == 1 => {
                        results[places[0]] = Some(Ok(refused("too deeply nested to parse".to_owned())));
                    }
                    Ok((Answer::Trapped { .. }, _)) => {}
                    Err(error) => {
                        let text = error.to_string();
                        let mut error = Some(error);
                        for &at in *places {
                            let this = error.take().unwrap_or_else(|| Error::Runtime(text.clone()));
                            results[at] = Some(Err(this));
                        }
                    }
                }
            }
        }
        results.into_iter().map(|result| result.expect("what trapped in company has been parsed alone")).collect()
    }
}

/// The limits of requests that run nothing: parsing literals, listing imports.
fn parse_job(request: &Request, limits: &Limits, response_bytes: usize) -> Job {
    let memory_bytes = limits.memory_bytes.max(128 << 20);
    let budget = Budget { fuel: limits.fuel, memory_bytes, address_shift: 0, response_bytes };
    Job { run: RunRequest { request: request.encode(), budget, wall: limits.wall }, calls: Vec::new() }
}
