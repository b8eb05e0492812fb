//! Requests and responses.

use crate::codec::{DecodeError, Reader, Writer};
use crate::value::Value;

/// What the host asks of a fresh guest.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// Run a program.
    Run(Run),
    /// Evaluate a call of the program that this guest has run. Only after [`Response::Loaded`].
    Call(Call),
    /// Parse each text as a literal of plain data. Nothing is executed.
    Literals {
        /// The texts.
        texts: Vec<String>,
        /// Bytes of encoding that one value may take.
        value_bytes: u32,
    },
    /// List the modules that each program imports, by its syntax. Nothing is executed.
    Imports(Vec<String>),
    /// Import modules given as text, each before what follows it unless it is imported by one; the memory
    /// afterwards is where other programs start.
    Modules {
        /// Dotted name and source text of each.
        modules: Vec<(String, String)>,
        /// What the modules see of it while they are imported.
        entropy: Entropy,
    },
    /// Open a session: the requests below follow in the same guest, any number of them.
    Open(Open),
    /// Run source text in the session's `__main__`.
    Exec(Exec),
    /// The value of one of its global variables.
    Get(String),
    /// Set global variables.
    Set(Vec<(String, Value)>),
    /// Give it files, and text for standard input in place of what was left of it.
    Put {
        /// Paths, absolute or below the root, and what the files hold.
        files: Vec<(String, Vec<u8>)>,
        /// Standard input.
        stdin: Option<Vec<u8>>,
    },
    /// Its files, as they are now.
    Files,
}

/// What a session may do, for all of its runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// Bounds. Those of output and values hold for calls, and for arguments and results of functions.
    pub limits: GuestLimits,
    /// Where the guest's entropy comes from.
    pub entropy: Entropy,
    /// Names of the host's functions that its programs find among their globals.
    pub functions: Vec<String>,
    /// What its files may take; none has no files.
    pub files: Option<FileQuota>,
    /// Whether the host wants output as it is written.
    pub stream: bool,
}

/// What a session's files may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileQuota {
    /// Bytes of all files together, and of their names.
    pub bytes: u32,
    /// Files and folders.
    pub entries: u32,
}

/// One run of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exec {
    /// Source text.
    pub source: String,
    /// What becomes of expressions.
    pub mode: ExecMode,
    /// Bytes that it may print.
    pub output_bytes: u32,
    /// Bytes of encoding that its value may take.
    pub value_bytes: u32,
}

/// What becomes of a run's expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExecMode {
    /// Nothing, as in a script.
    Script,
    /// The value of the last statement, if it is an expression, is returned.
    Last,
    /// One statement, as typed at a prompt: the value of an expression is printed unless it is `None`.
    Prompt,
}

/// A program calls a function of the host's.
#[derive(Debug, Clone, PartialEq)]
pub struct HostCall {
    /// Which.
    pub name: String,
    /// Positional arguments.
    pub arguments: Vec<Value>,
    /// Keyword arguments.
    pub named: Vec<(String, Value)>,
}

/// What a function of the host's gives back.
#[derive(Debug, Clone, PartialEq)]
pub enum HostReply {
    /// A value.
    Value(Value),
    /// An exception: the name of a built-in class, and its text.
    Raise {
        /// Class.
        class: String,
        /// Text.
        message: String,
    },
}

/// What a guest asks of the host's one door.
pub mod host {
    /// Call a function: a [`super::HostCall`] at the address. Gives the length of the reply.
    pub const CALL: u32 = 0;
    /// Copy the reply to the address.
    pub const TAKE: u32 = 1;
    /// Bytes of standard output at the address.
    pub const STDOUT: u32 = 2;
    /// Bytes of standard error at the address.
    pub const STDERR: u32 = 3;
}

/// A program and the bounds that the guest itself keeps.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Source text.
    pub program: String,
    /// Whether a call follows. A script ends where its text does.
    pub called: bool,
    /// Bounds.
    pub limits: GuestLimits,
    /// Where the guest's entropy comes from.
    pub entropy: Entropy,
}

/// `entry(arguments)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Name of the function.
    pub entry: String,
    /// What it is called with.
    pub arguments: Arguments,
}

/// What a function is called with.
#[derive(Debug, Clone, PartialEq)]
pub enum Arguments {
    /// What stands between the parentheses: parsed as an argument list and nothing else.
    Text(String),
    /// Data, one value a positional argument: never a part of the program's text.
    Values(Vec<Value>),
}

/// Bounds that the guest keeps itself. Fuel, stack and the hard memory cap are the host's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GuestLimits {
    /// Heap bytes that the program may take.
    pub memory_bytes: u32,
    /// Captured bytes of stdout and stderr together.
    pub output_bytes: u32,
    /// Bytes of encoding that the returned value may take.
    pub value_bytes: u32,
}

/// Every source of entropy that the guest has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entropy {
    /// Seeds `random`, `os.urandom`, `uuid4`, `secrets`.
    pub random_seed: u64,
    /// What the clocks say at the start, in nanoseconds since 1970.
    pub clock_ns: u64,
    /// Bytes by which new objects' addresses are moved; a multiple of 16.
    pub address_shift: u32,
    /// Which of the possible orders of sets, hashes of text and addresses a program sees: 0 are those of
    /// CPython under hash seed 0, and every other number gives others.
    pub variation: u32,
    /// Nanoseconds that a look at the clock takes.
    pub tick_ns: u32,
}

/// The sources of entropy that a run has read: what it read none of is the same under every [`Entropy`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Reads(pub u32);

impl Reads {
    /// A hash of text or of an address, or an order that follows from such hashes.
    pub const HASH: Self = Self(1);
    /// The address of an object.
    pub const ADDRESS: Self = Self(2);
    /// A clock.
    pub const CLOCK: Self = Self(4);
    /// A random number that no seed decides.
    pub const RANDOM: Self = Self(8);

    /// The names of what was read: `hash`, `address`, `clock`, `random`.
    #[must_use]
    pub fn names(self) -> Vec<&'static str> {
        let all = [(Self::HASH, "hash"), (Self::ADDRESS, "address"), (Self::CLOCK, "clock"), (Self::RANDOM, "random")];
        all.into_iter().filter(|(kind, _)| self.has(*kind)).map(|(_, name)| name).collect()
    }

    /// Whether nothing was read.
    #[must_use]
    pub fn is_none(self) -> bool {
        self.0 == 0
    }

    /// Whether `other` is among what was read.
    #[must_use]
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// How a run ended, as far as the guest lived to tell.
#[derive(Debug, Clone, PartialEq)]
pub enum Termination {
    /// The call returned plain data (a script that ends returns `None`).
    Returned(Value),
    /// An exception left the program.
    Raised {
        /// Name of its class.
        class: String,
        /// Its text, cut to a bound.
        message: String,
        /// The program's own frames, outermost first.
        traceback: Vec<Frame>,
    },
    /// The program does not compile.
    SyntaxError {
        /// What the compiler says.
        message: String,
        /// Line, from 1; 0 where unknown.
        line: u32,
    },
    /// The argument text is not an argument list over known names.
    InvalidInput(String),
    /// The call returned something else than plain data.
    NotATaskValue(String),
}

/// Why modules cannot be imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleProblem {
    /// The module that holds the line.
    pub module: String,
    /// Line in its source, from 1; 0 where the fault lies in no line.
    pub line: u32,
    /// Class and text of the exception, cut to a bound.
    pub message: String,
}

/// One frame of a traceback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Line in the program, from 1.
    pub line: u32,
    /// Function's name, `<module>` at the top.
    pub function: String,
}

/// A text that should be a literal.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// It is one.
    Value(Value),
    /// It is not; why.
    Invalid(String),
}

/// The guest's answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Response {
    /// To [`Request::Run`] of what is called afterwards: it ran, and waits for its call.
    Loaded,
    /// To [`Request::Run`] of a script or of what ended early, and to [`Request::Call`].
    Run {
        /// How it ended.
        termination: Termination,
        /// Captured standard output.
        stdout: Vec<u8>,
        /// Captured standard error.
        stderr: Vec<u8>,
        /// Most heap bytes that the program held.
        peak_memory: u32,
        /// What it read that is not the same in every run.
        reads: Reads,
    },
    /// To [`Request::Literals`], in order.
    Literals(Vec<Literal>),
    /// To [`Request::Imports`], in order: dotted names, or why the program does not parse.
    Imports(Vec<Result<Vec<String>, String>>),
    /// To [`Request::Modules`].
    Modules(Result<(), ModuleProblem>),
    /// To [`Request::Files`], in order of their paths: absolute ones, and what the files hold.
    Files(Vec<(String, Vec<u8>)>),
}

/// Why the guest stopped in the middle: it stores the number, then traps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Abort {
    /// It did not stop by itself.
    None = 0,
    /// An allocation would have passed the memory limit.
    Memory = 1,
    /// Output would have passed the output limit.
    Output = 2,
    /// `os._exit`.
    Exit = 3,
    /// A panic of the interpreter.
    Panic = 4,
}

impl Abort {
    /// From the number that the guest stored; unknown numbers are a panic.
    #[must_use]
    pub fn from_number(number: u32) -> Self {
        match number {
            0 => Self::None,
            1 => Self::Memory,
            2 => Self::Output,
            3 => Self::Exit,
            _ => Self::Panic,
        }
    }
}

impl Request {
    /// As bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        match self {
            Self::Run(run) => {
                out.u8(0);
                out.bytes(run.program.as_bytes());
                out.u8(u8::from(run.called));
                write_limits(&mut out, run.limits);
                write_entropy(&mut out, run.entropy);
            }
            Self::Literals { texts, value_bytes } => {
                out.u8(1);
                out.number(u64::from(*value_bytes));
                out.list(texts, |out, text| out.bytes(text.as_bytes()));
            }
            Self::Imports(programs) => {
                out.u8(2);
                out.list(programs, |out, program| out.bytes(program.as_bytes()));
            }
            Self::Modules { modules, entropy } => {
                out.u8(3);
                out.list(modules, |out, (name, source)| {
                    out.bytes(name.as_bytes());
                    out.bytes(source.as_bytes());
                });
                write_entropy(&mut out, *entropy);
            }
            Self::Call(call) => {
                out.u8(4);
                out.bytes(call.entry.as_bytes());
                write_arguments(&mut out, &call.arguments);
            }
            Self::Open(open) => {
                out.u8(5);
                write_limits(&mut out, open.limits);
                write_entropy(&mut out, open.entropy);
                out.list(&open.functions, |out, name| out.bytes(name.as_bytes()));
                out.u8(u8::from(open.files.is_some()));
                if let Some(quota) = open.files {
                    out.number(u64::from(quota.bytes));
                    out.number(u64::from(quota.entries));
                }
                out.u8(u8::from(open.stream));
            }
            Self::Exec(exec) => {
                out.u8(6);
                out.bytes(exec.source.as_bytes());
                out.u8(exec.mode as u8);
                out.number(u64::from(exec.output_bytes));
                out.number(u64::from(exec.value_bytes));
            }
            Self::Get(name) => {
                out.u8(7);
                out.bytes(name.as_bytes());
            }
            Self::Set(variables) => {
                out.u8(8);
                write_named(&mut out, variables);
            }
            Self::Put { files, stdin } => {
                out.u8(9);
                write_files(&mut out, files);
                out.u8(u8::from(stdin.is_some()));
                if let Some(stdin) = stdin {
                    out.bytes(stdin);
                }
            }
            Self::Files => out.u8(10),
        }
        out.finish()
    }

    /// From bytes.
    ///
    /// # Errors
    /// When they are not one request.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut input = Reader::new(bytes);
        let request = match input.u8()? {
            0 => Self::Run(Run {
                program: input.text()?.to_owned(),
                called: input.u8()? != 0,
                limits: read_limits(&mut input)?,
                entropy: read_entropy(&mut input)?,
            }),
            1 => Self::Literals { value_bytes: input.u32()?, texts: input.list(|input| Ok(input.text()?.to_owned()))? },
            2 => Self::Imports(input.list(|input| Ok(input.text()?.to_owned()))?),
            3 => Self::Modules {
                modules: input.list(|input| Ok((input.text()?.to_owned(), input.text()?.to_owned())))?,
                entropy: read_entropy(&mut input)?,
            },
            4 => Self::Call(Call { entry: input.text()?.to_owned(), arguments: read_arguments(&mut input)? }),
            5 => Self::Open(Open {
                limits: read_limits(&mut input)?,
                entropy: read_entropy(&mut input)?,
                functions: input.list(|input| Ok(input.text()?.to_owned()))?,
                files: match input.u8()? {
                    0 => None,
                    _ => Some(FileQuota { bytes: input.u32()?, entries: input.u32()? }),
                },
                stream: input.u8()? != 0,
            }),
            6 => Self::Exec(Exec {
                source: input.text()?.to_owned(),
                mode: match input.u8()? {
                    0 => ExecMode::Script,
                    1 => ExecMode::Last,
                    2 => ExecMode::Prompt,
                    unknown => return Err(DecodeError::UnknownTag(unknown)),
                },
                output_bytes: input.u32()?,
                value_bytes: input.u32()?,
            }),
            7 => Self::Get(input.text()?.to_owned()),
            8 => Self::Set(read_named(&mut input)?),
            9 => Self::Put {
                files: read_files(&mut input)?,
                stdin: match input.u8()? {
                    0 => None,
                    _ => Some(input.bytes()?.to_vec()),
                },
            },
            10 => Self::Files,
            unknown => return Err(DecodeError::UnknownTag(unknown)),
        };
        input.end()?;
        Ok(request)
    }
}

impl Response {
    /// As bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        match self {
            Self::Run { termination, stdout, stderr, peak_memory, reads } => {
                out.u8(0);
                write_termination(&mut out, termination);
                out.bytes(stdout);
                out.bytes(stderr);
                out.number(u64::from(*peak_memory));
                out.number(u64::from(reads.0));
            }
            Self::Literals(literals) => {
                out.u8(1);
                out.list(literals, |out, literal| match literal {
                    Literal::Value(value) => {
                        out.u8(0);
                        value.write(out);
                    }
                    Literal::Invalid(why) => {
                        out.u8(1);
                        out.bytes(why.as_bytes());
                    }
                });
            }
            Self::Imports(programs) => {
                out.u8(2);
                out.list(programs, |out, program| match program {
                    Ok(modules) => {
                        out.u8(0);
                        out.list(modules, |out, module| out.bytes(module.as_bytes()));
                    }
                    Err(why) => {
                        out.u8(1);
                        out.bytes(why.as_bytes());
                    }
                });
            }
            Self::Modules(Ok(())) => {
                out.u8(3);
                out.u8(0);
            }
            Self::Modules(Err(problem)) => {
                out.u8(3);
                out.u8(1);
                out.bytes(problem.module.as_bytes());
                out.number(u64::from(problem.line));
                out.bytes(problem.message.as_bytes());
            }
            Self::Loaded => out.u8(4),
            Self::Files(files) => {
                out.u8(5);
                write_files(&mut out, files);
            }
        }
        out.finish()
    }

    /// From bytes that nobody vouches for.
    ///
    /// # Errors
    /// When they are not one response.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut input = Reader::new(bytes);
        let response = match input.u8()? {
            0 => Self::Run {
                termination: read_termination(&mut input)?,
                stdout: input.bytes()?.to_vec(),
                stderr: input.bytes()?.to_vec(),
                peak_memory: input.u32()?,
                reads: Reads(input.u32()?),
            },
            1 => Self::Literals(input.list(|input| {
                Ok(match input.u8()? {
                    0 => Literal::Value(Value::read(input)?),
                    1 => Literal::Invalid(input.text()?.to_owned()),
                    unknown => return Err(DecodeError::UnknownTag(unknown)),
                })
            })?),
            2 => Self::Imports(input.list(|input| {
                Ok(match input.u8()? {
                    0 => Ok(input.list(|input| Ok(input.text()?.to_owned()))?),
                    1 => Err(input.text()?.to_owned()),
                    unknown => return Err(DecodeError::UnknownTag(unknown)),
                })
            })?),
            3 => Self::Modules(match input.u8()? {
                0 => Ok(()),
                1 => Err(ModuleProblem {
                    module: input.text()?.to_owned(),
                    line: input.u32()?,
                    message: input.text()?.to_owned(),
                }),
                unknown => return Err(DecodeError::UnknownTag(unknown)),
            }),
            4 => Self::Loaded,
            5 => Self::Files(read_files(&mut input)?),
            unknown => return Err(DecodeError::UnknownTag(unknown)),
        };
        input.end()?;
        Ok(response)
    }
}

impl HostCall {
    /// As bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.bytes(self.name.as_bytes());
        out.list(&self.arguments, |out, value| value.write(out));
        write_named(&mut out, &self.named);
        out.finish()
    }

    /// From bytes that nobody vouches for.
    ///
    /// # Errors
    /// When they are not one call.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut input = Reader::new(bytes);
        let name = input.text()?.to_owned();
        let call = Self { name, arguments: input.list(Value::read)?, named: read_named(&mut input)? };
        input.end()?;
        Ok(call)
    }
}

impl HostReply {
    /// As bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        match self {
            Self::Value(value) => {
                out.u8(0);
                value.write(&mut out);
            }
            Self::Raise { class, message } => {
                out.u8(1);
                out.bytes(class.as_bytes());
                out.bytes(message.as_bytes());
            }
        }
        out.finish()
    }

    /// From bytes.
    ///
    /// # Errors
    /// When they are not one reply.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut input = Reader::new(bytes);
        let reply = match input.u8()? {
            0 => Self::Value(Value::read(&mut input)?),
            1 => Self::Raise { class: input.text()?.to_owned(), message: input.text()?.to_owned() },
            unknown => return Err(DecodeError::UnknownTag(unknown)),
        };
        input.end()?;
        Ok(reply)
    }
}

fn write_limits(out: &mut Writer, limits: GuestLimits) {
    for limit in [limits.memory_bytes, limits.output_bytes, limits.value_bytes] {
        out.number(u64::from(limit));
    }
}

fn read_limits(input: &mut Reader<'_>) -> Result<GuestLimits, DecodeError> {
    Ok(GuestLimits { memory_bytes: input.u32()?, output_bytes: input.u32()?, value_bytes: input.u32()? })
}

fn write_named(out: &mut Writer, values: &[(String, Value)]) {
    out.list(values, |out, (name, value)| {
        out.bytes(name.as_bytes());
        value.write(out);
    });
}

fn read_named(input: &mut Reader<'_>) -> Result<Vec<(String, Value)>, DecodeError> {
    input.list(|input| Ok((input.text()?.to_owned(), Value::read(input)?)))
}

fn write_files(out: &mut Writer, files: &[(String, Vec<u8>)]) {
    out.list(files, |out, (path, bytes)| {
        out.bytes(path.as_bytes());
        out.bytes(bytes);
    });
}

fn read_files(input: &mut Reader<'_>) -> Result<Vec<(String, Vec<u8>)>, DecodeError> {
    input.list(|input| Ok((input.text()?.to_owned(), input.bytes()?.to_vec())))
}

fn write_arguments(out: &mut Writer, arguments: &Arguments) {
    match arguments {
        Arguments::Text(text) => {
            out.u8(0);
            out.bytes(text.as_bytes());
        }
        Arguments::Values(values) => {
            out.u8(1);
            out.list(values, |out, value| value.write(out));
        }
    }
}

fn read_arguments(input: &mut Reader<'_>) -> Result<Arguments, DecodeError> {
    Ok(match input.u8()? {
        0 => Arguments::Text(input.text()?.to_owned()),
        1 => Arguments::Values(input.list(Value::read)?),
        unknown => return Err(DecodeError::UnknownTag(unknown)),
    })
}

fn write_entropy(out: &mut Writer, entropy: Entropy) {
    out.u64(entropy.random_seed);
    out.u64(entropy.clock_ns);
    out.number(u64::from(entropy.address_shift));
    out.number(u64::from(entropy.variation));
    out.number(u64::from(entropy.tick_ns));
}

fn read_entropy(input: &mut Reader<'_>) -> Result<Entropy, DecodeError> {
    Ok(Entropy {
        random_seed: input.u64()?,
        clock_ns: input.u64()?,
        address_shift: input.u32()?,
        variation: input.u32()?,
        tick_ns: input.u32()?,
    })
}

fn write_termination(out: &mut Writer, termination: &Termination) {
    match termination {
        Termination::Returned(value) => {
            out.u8(0);
            value.write(out);
        }
        Termination::Raised { class, message, traceback } => {
            out.u8(1);
            out.bytes(class.as_bytes());
            out.bytes(message.as_bytes());
            out.list(traceback, |out, frame| {
                out.number(u64::from(frame.line));
                out.bytes(frame.function.as_bytes());
            });
        }
        Termination::SyntaxError { message, line } => {
            out.u8(2);
            out.bytes(message.as_bytes());
            out.number(u64::from(*line));
        }
        Termination::InvalidInput(why) => {
            out.u8(3);
            out.bytes(why.as_bytes());
        }
        Termination::NotATaskValue(why) => {
            out.u8(4);
            out.bytes(why.as_bytes());
        }
    }
}

fn read_termination(input: &mut Reader<'_>) -> Result<Termination, DecodeError> {
    Ok(match input.u8()? {
        0 => Termination::Returned(Value::read(input)?),
        1 => Termination::Raised {
            class: input.text()?.to_owned(),
            message: input.text()?.to_owned(),
            traceback: input.list(|input| Ok(Frame { line: input.u32()?, function: input.text()?.to_owned() }))?,
        },
        2 => Termination::SyntaxError { message: input.text()?.to_owned(), line: input.u32()? },
        3 => Termination::InvalidInput(input.text()?.to_owned()),
        4 => Termination::NotATaskValue(input.text()?.to_owned()),
        unknown => return Err(DecodeError::UnknownTag(unknown)),
    })
}
