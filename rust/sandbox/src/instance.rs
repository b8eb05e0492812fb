//! One instance of the guest: answers a request, then is made fresh.

#![expect(unsafe_code, reason = "resets memory behind wasmtime; the blocks say why it is right")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use azr_wire::{Abort, GuestLimits, HostCall, HostReply, Request, Run, host};
use wasmtime::{Caller, Func, Global, Memory, Store, Trap, TypedFunc, Val};

use crate::answer::Answer;
use crate::cancel::Cancel;
use crate::code::GuestCode;
use crate::entropy::entropy;
use crate::error::Error;
use crate::functions::Known;
use crate::layout::{CARDS, FUEL, PAGE, SLICE};
use crate::memory::{Checkpoint, Image, Pages, starting_as};
use crate::modules::{ModuleRequest, modules_imported};
use crate::request::{Budget, OnOutput, RunRequest, SessionJob, SessionRan, Stream};
#[cfg(unix)]
use crate::signals;

/// What a guest must be able to run: shows at once that a module is none.
const SELF_TEST: &str = "def f(xs):\n    return [x * 2 for x in xs]";

/// What [`refuel`] looks at.
struct Control {
    started: Instant,
    /// What the program took before that.
    before: Duration,
    wall: Duration,
    cancel: Cancel,
    /// The fuel beside what the code has left of its slice.
    rest: i64,
    /// What a session's programs may ask of the host; others may ask nothing.
    door: Option<Door>,
    /// The instance's memory, cards and fuel, once it is made.
    parts: Option<(Memory, Memory, Global)>,
}

/// What the programs of a session may ask of the host.
struct Door {
    functions: Option<Known>,
    output: Option<OnOutput>,
    /// Most bytes of a call or of its reply.
    most: usize,
    /// Bytes of output that may still come.
    output_left: usize,
    /// The reply that the guest has not taken yet.
    reply: Vec<u8>,
}

/// Fuel that a call of the host takes, beside what its bytes take.
const HOST_CALL: i64 = 10_000;
/// Fuel for each byte that crosses.
const HOST_BYTE: i64 = 4;
/// Bytes of a call or a reply besides its values: names, an exception's text.
const HOST_BYTES: usize = 64 << 10;

/// Called by the guest in the place of its stub: see [`host`] for what it may ask. Every number and byte is the guest's, who
/// is not trusted.
fn ask_host(mut caller: Caller<'_, Control>, operation: i32, at: i32, length: i32) -> wasmtime::Result<i32> {
    let (at, length) = (at.cast_unsigned() as usize, length.cast_unsigned() as usize);
    let (Some((memory, cards, fuel)), Some(mut door)) = (caller.data().parts, caller.data_mut().door.take()) else {
        return Err(Trap::UnreachableCodeReached.into());
    };
    let bad = |why: &str| wasmtime::Error::msg(format!("it asked the host for what it may not: {why}"));
    let beyond = || bad("bytes outside its memory");
    let mut moved = length;
    let answer = match operation.cast_unsigned() {
        host::CALL if length > door.most => return Err(bad("a call that is too long")),
        host::CALL => {
            let bytes = memory.data(&caller).get(at..).and_then(|data| data.get(..length)).ok_or_else(beyond)?;
            let call = HostCall::decode(bytes).map_err(|error| bad(&error.to_string()))?;
            let functions = door.functions.clone().ok_or_else(|| bad("a call, and there are no functions"))?;
            let name = call.name.clone();
            let mut reply = outside(|| functions.answer(call)).encode();
            if reply.len() > door.most {
                let message = format!("the result of {}() is larger than {} bytes", cut(name), door.most);
                reply = HostReply::Raise { class: "ValueError".to_owned(), message }.encode();
            }
            moved += reply.len();
            door.reply = reply;
            i32::try_from(door.reply.len()).expect("longer replies became an exception")
        }
        host::TAKE => {
            let reply = std::mem::take(&mut door.reply);
            if reply.len() != length {
                return Err(bad("a reply that it was not given"));
            }
            memory.write(&mut caller, at, &reply).map_err(|_| beyond())?;
            let written = at / PAGE..(at + length).div_ceil(PAGE);
            cards.data_mut(&mut caller)[written].fill(1);
            0
        }
        operation @ (host::STDOUT | host::STDERR) => {
            let output = door.output.as_ref().ok_or_else(|| bad("output that nobody wants"))?;
            let bytes = memory.data(&caller).get(at..).and_then(|data| data.get(..length)).ok_or_else(beyond)?;
            door.output_left = door.output_left.checked_sub(length).ok_or_else(|| bad("more output than it may"))?;
            let stream = if operation == host::STDOUT { Stream::Stdout } else { Stream::Stderr };
            outside(|| output(stream, bytes));
            0
        }
        _ => return Err(bad("an operation that there is not")),
    };
    let slice = fuel.get(&mut caller).i64().unwrap_or(0);
    let control = caller.data_mut();
    control.door = Some(door);
    // At most 2^34 bytes: no overflow.
    control.rest -= HOST_CALL + i64::try_from(moved).expect("at most 2^34") * HOST_BYTE;
    if control.rest + slice < 0 {
        return Err(Trap::OutOfFuel.into());
    }
    control.stopped()?;
    Ok(answer)
}

/// Runs code of the embedder's while a guest waits for it.
fn outside<T>(run: impl FnOnce() -> T) -> T {
    #[cfg(unix)]
    let done = signals::outside(run);
    #[cfg(not(unix))]
    let done = run();
    done
}

/// A name that a program made up, short enough for a message.
fn cut(mut name: String) -> String {
    name.truncate(name.floor_char_boundary(100));
    name
}

impl Control {
    /// Fails where the run was stopped from outside.
    fn stopped(&self) -> wasmtime::Result<()> {
        if self.cancel.is_cancelled() {
            return Err(Stopped::Cancelled.into());
        }
        if self.before + self.started.elapsed() >= self.wall {
            return Err(Stopped::Wall(self.wall).into());
        }
        Ok(())
    }
}

/// Why a run was stopped from outside.
#[derive(Debug)]
enum Stopped {
    Wall(Duration),
    Cancelled,
}

/// Called by code whose slice of fuel is spent, with what it lacks (below zero): gives it another, if there is one and
/// nothing speaks against it.
fn refuel(mut caller: Caller<'_, Control>, slice: i64) -> wasmtime::Result<i64> {
    let control = caller.data_mut();
    // First what the program did, which is the same every time.
    if control.rest + slice < 0 {
        return Err(Trap::OutOfFuel.into());
    }
    control.stopped()?;
    let next = control.rest.min(SLICE);
    control.rest -= next;
    Ok(slice + next)
}

impl std::fmt::Display for Stopped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("stopped from outside")
    }
}

impl std::error::Error for Stopped {}

/// An instance of the guest. Its memory is fresh at the start and after [`Instance::reset`].
pub(crate) struct Instance {
    store: Store<Control>,
    memory: Memory,
    /// What notes the pages that are written: `crate::instrument::dirty_pages`.
    cards: Memory,
    image: Arc<Image>,
    stack_pointer: Global,
    /// What is left of the slice that the code counts down: `crate::instrument::fuel`.
    fuel: Global,
    stack_top: i32,
    /// The time that the program took to load.
    loaded_in: Duration,
    abort_at: usize,
    panic_at: usize,
    begin: TypedFunc<(u32, u32, u32), u32>,
    next: TypedFunc<u32, u32>,
    /// None in guests made before there were sessions.
    resume: Option<TypedFunc<u32, u32>>,
    run: TypedFunc<(u32, u32), u64>,
}

impl Instance {
    /// A fresh instance.
    pub(crate) fn new(code: &GuestCode) -> Result<Self, Error> {
        let runtime = |error: wasmtime::Error| Error::Runtime(format!("{error:#}"));
        let missing = |name: &str| Error::BadGuest(format!("it does not export {name}"));
        let (started, before, wall) = (Instant::now(), Duration::ZERO, Duration::MAX);
        let control = Control { started, before, wall, cancel: Cancel::new(), rest: 0, door: None, parts: None };
        let mut store = Store::new(code.module.engine(), control);
        let imports = [Func::wrap(&mut store, refuel).into(), Func::wrap(&mut store, ask_host).into()];
        let instance = starting_as(&code.image, || wasmtime::Instance::new(&mut store, &code.module, &imports));
        let instance = instance.map_err(runtime)?;
        let memory = instance.get_memory(&mut store, "memory").ok_or_else(|| missing("memory"))?;
        let cards = instance.get_memory(&mut store, CARDS).ok_or_else(|| missing(CARDS))?;
        let mut global = |name: &str| instance.get_global(&mut store, name).ok_or_else(|| missing(name));
        let stack_pointer = global("__stack_pointer")?;
        let fuel = global(FUEL)?;
        let (abort, panic) = (global("AZR_ABORT")?, global("AZR_PANIC")?);
        let number = |store: &mut Store<Control>, global: &Global| {
            global.get(&mut *store).i32().ok_or_else(|| Error::BadGuest("a global is no i32".into()))
        };
        let stack_top = number(&mut store, &stack_pointer)?;
        let abort_at = number(&mut store, &abort)?.cast_unsigned() as usize;
        let panic_at = number(&mut store, &panic)?.cast_unsigned() as usize;
        let typed = |error: wasmtime::Error| Error::BadGuest(format!("{error:#}"));
        let begin = instance.get_typed_func(&mut store, "azr_begin").map_err(typed)?;
        let next = instance.get_typed_func(&mut store, "azr_next").map_err(typed)?;
        let resume = instance.get_typed_func(&mut store, "azr_resume").ok();
        let run = instance.get_typed_func(&mut store, "azr_run").map_err(typed)?;
        store.data_mut().parts = Some((memory, cards, fuel));
        let image = Arc::clone(&code.image);
        let loaded_in = Duration::ZERO;
        Ok(Self {
            store,
            memory,
            cards,
            image,
            stack_pointer,
            fuel,
            stack_top,
            loaded_in,
            abort_at,
            panic_at,
            begin,
            next,
            resume,
            run,
        })
    }

    /// Answers a request of a fresh instance, and says how much fuel it took. After a trap the instance is
    /// spent.
    pub(crate) fn load(&mut self, run: &RunRequest, cancel: &Cancel) -> Result<(Answer, u64), Error> {
        let budget = run.budget;
        self.loaded_in = Duration::ZERO;
        let started = Instant::now();
        let loaded = self.answer(run, 0, cancel, |this| {
            let length = u32::try_from(run.request.len())?;
            let arguments = (length, budget.memory_bytes, budget.address_shift);
            let at = this.begin.call(&mut this.store, arguments)?;
            this.ask(at, &run.request)
        });
        self.loaded_in = started.elapsed();
        loaded
    }

    /// Answers a call of the program that was loaded for `used` fuel; the fuel includes that, and the wall clock the
    /// time that it took.
    pub(crate) fn call(
        &mut self,
        run: &RunRequest,
        request: &[u8],
        used: u64,
        cancel: &Cancel,
    ) -> Result<(Answer, u64), Error> {
        self.answer(run, used, cancel, |this| {
            let length = u32::try_from(request.len())?;
            let at = this.next.call(&mut this.store, length)?;
            this.ask(at, request)
        })
    }

    fn answer(
        &mut self,
        run: &RunRequest,
        used: u64,
        cancel: &Cancel,
        ask: impl FnOnce(&mut Self) -> wasmtime::Result<u64>,
    ) -> Result<(Answer, u64), Error> {
        let rest = i64::try_from(run.budget.fuel - used).map_err(|error| Error::Runtime(error.to_string()))?;
        let (started, before, wall) = (Instant::now(), self.loaded_in, run.wall);
        let control = self.store.data_mut();
        (control.started, control.before, control.wall, control.rest) = (started, before, wall, rest);
        control.cancel.clone_from(cancel);
        // An empty slice: the first that the code does is to ask for one.
        self.set_slice(0)?;
        #[cfg(unix)]
        let termination = signals::in_guest(|| ask(self));
        #[cfg(not(unix))]
        let termination = ask(self);
        let left = self.store.data().rest + self.slice()?;
        // Less than nothing where the last that was taken was too much.
        let used = run.budget.fuel - left.max(0).cast_unsigned();
        let answer = match termination {
            Ok(response) => Answer::Response(self.read(response, run.budget.response_bytes)?.to_vec()),
            Err(error) => self.trapped(error)?,
        };
        Ok((answer, used))
    }

    fn slice(&mut self) -> Result<i64, Error> {
        let slice = self.fuel.get(&mut self.store).i64();
        slice.ok_or_else(|| Error::Runtime("the global for fuel is no i64".to_owned()))
    }

    fn set_slice(&mut self, slice: i64) -> Result<(), Error> {
        let set = self.fuel.set(&mut self.store, Val::I64(slice));
        set.map_err(|error| Error::Runtime(format!("{error:#}")))
    }

    /// What the program that was loaded has written: a way back to it after a call. None where it wrote so
    /// much that loading it again is no slower.
    pub(crate) fn checkpoint(&mut self) -> Option<Checkpoint> {
        let base = self.memory.data_ptr(&self.store);
        let cards = self.cards.data_mut(&mut self.store);
        // SAFETY: as in `reset`.
        unsafe { self.image.checkpoint(base, cards) }
    }

    /// Makes the instance what it was at the checkpoint, unless the call wrote so much that loading the program
    /// again is no slower: says whether it did.
    pub(crate) fn return_to(&mut self, checkpoint: &Checkpoint) -> Result<bool, Error> {
        self.reset_stack()?;
        let base = self.memory.data_ptr(&self.store);
        let cards = self.cards.data_mut(&mut self.store);
        // SAFETY: as in `reset`; the checkpoint is one of this memory, which was fresh when its program was loaded.
        Ok(unsafe { self.image.return_to(checkpoint, base, cards) })
    }

    /// Ends the use of a checkpoint: the next reset puts back what was written before it, too.
    pub(crate) fn forget(&mut self, checkpoint: &Checkpoint) {
        checkpoint.mark(self.cards.data_mut(&mut self.store));
    }

    /// Continues a session, or opens it, in a fresh instance: answers its requests in turn, up to one that stops in the
    /// middle. Unless one did, the session's new state comes with them, and the instance must be reset; else it is spent.
    pub(crate) fn session(&mut self, job: &SessionJob, cancel: &Cancel) -> Result<SessionRan, Error> {
        if self.resume.is_none() {
            return Err(Error::BadGuest("it was made before there were sessions".to_owned()));
        }
        let most = job.value_bytes + HOST_BYTES;
        let output_left = job.output_bytes;
        let (functions, output, reply) = (job.functions.clone(), job.output.clone(), Vec::new());
        self.store.data_mut().door = Some(Door { functions, output, most, output_left, reply });
        let ran = self.session_open(job, cancel);
        self.store.data_mut().door = None;
        ran
    }

    fn session_open(&mut self, job: &SessionJob, cancel: &Cancel) -> Result<SessionRan, Error> {
        self.loaded_in = Duration::ZERO;
        let mut ran = SessionRan { answers: Vec::new(), fuel_used: 0, state: None };
        let before = match &job.state {
            Some(pages) => {
                let base = self.memory.data_ptr(&self.store);
                // SAFETY: as in `reset`; the instance is fresh, and a session's pages are checked when they come from outside.
                unsafe { self.image.apply(pages, base) };
                pages.clone()
            }
            None => {
                let (answer, used) = self.load(&job.open, cancel)?;
                ran.fuel_used = used;
                if !answer.is_loaded() {
                    ran.answers.push(answer);
                    return Ok(ran);
                }
                Pages::default()
            }
        };
        for request in &job.requests {
            let (answer, used) = self.resume(&job.open, request, ran.fuel_used, cancel)?;
            ran.fuel_used = used;
            let stop = answer.is_trap();
            ran.answers.push(answer);
            if stop {
                return Ok(ran);
            }
        }
        self.reset_stack()?;
        let base = self.memory.data_ptr(&self.store);
        let cards = self.cards.data_mut(&mut self.store);
        // SAFETY: as in `reset`; `before` is what was applied to this memory when it was fresh.
        ran.state = Some(unsafe { self.image.collect(&before, base, cards) });
        // The next reset puts back what was applied, too.
        before.mark(cards);
        Ok(ran)
    }

    /// Answers the next request of a session; the fuel includes what was `used` before.
    fn resume(&mut self, run: &RunRequest, request: &[u8], used: u64, cancel: &Cancel) -> Result<(Answer, u64), Error> {
        self.answer(run, used, cancel, |this| {
            let length = u32::try_from(request.len())?;
            let resume = this.resume.as_ref().ok_or_else(|| wasmtime::Error::msg("it knows no sessions"))?.clone();
            let at = resume.call(&mut this.store, length)?;
            this.ask(at, request)
        })
    }

    /// Has the guest import modules, and makes what its memory is then into an image.
    pub(crate) fn into_image(mut self, modules: &ModuleRequest) -> Result<Image, Error> {
        let (answer, _) = self.load(&modules.run, &Cancel::new())?;
        modules_imported(answer, &modules.names)?;
        // The stack is as empty as it was at the start: what is below its pointer is rubbish to the guest.
        if self.stack_pointer.get(&mut self.store).i32() != Some(self.stack_top) {
            return Err(Error::GuestContract("importing modules moved its stack pointer".to_owned()));
        }
        let size = self.image.size();
        let data = &self.memory.data(&self.store)[..self.used()];
        let start = data.iter().position(|&byte| byte != 0).unwrap_or(0) / PAGE * PAGE;
        let end = data.iter().rposition(|&byte| byte != 0).map_or(start, |last| last + 1);
        Image::new(start, &data[start..end], size).map_err(Error::Host)
    }

    /// Bytes behind which nothing was written yet: to look for the last one that is not zero from the memory's end would
    /// read a gibibyte, with a fault for each of its pages.
    fn used(&self) -> usize {
        self.image.used(self.cards.data(&self.store))
    }

    /// Writes a request where the guest made room for it, and has it answered.
    fn ask(&mut self, at: u32, request: &[u8]) -> wasmtime::Result<u64> {
        self.memory.write(&mut self.store, at as usize, request)?;
        let written = at as usize / PAGE..(at as usize + request.len()).div_ceil(PAGE);
        self.cards.data_mut(&mut self.store)[written].fill(1);
        self.run.call(&mut self.store, (at, u32::try_from(request.len())?))
    }

    /// The bytes at what the guest says is its response: an address in the high half, a length in the
    /// low one.
    fn read(&self, place: u64, most: usize) -> Result<&[u8], Error> {
        let half = |shift: u32| usize::try_from(place >> shift & u64::from(u32::MAX)).expect("masked to 32 bits");
        let (at, length) = (half(32), half(0));
        if length > most {
            return Err(Error::GuestContract(format!(
                "its response has {length} bytes, and at most {most} were asked for"
            )));
        }
        self.memory.data(&self.store).get(at..).and_then(|data| data.get(..length)).ok_or_else(|| {
            Error::GuestContract(format!("its response of {length} bytes at {at} is outside its memory"))
        })
    }

    fn trapped(&mut self, error: wasmtime::Error) -> Result<Answer, Error> {
        match error.downcast_ref::<Stopped>() {
            Some(Stopped::Cancelled) => return Err(Error::Cancelled),
            Some(Stopped::Wall(limit)) => return Err(Error::WallClock { limit: *limit }),
            None => {}
        }
        let Some(&trap) = error.downcast_ref::<Trap>() else {
            return Err(Error::GuestContract(format!("{error:#}")));
        };
        let data = self.memory.data(&self.store);
        let word = |at: usize| {
            let bytes = data.get(at..at.checked_add(4)?)?;
            Some(u32::from_le_bytes(bytes.try_into().ok()?))
        };
        let abort = Abort::from_number(word(self.abort_at).unwrap_or(0));
        let panic = || {
            let length = (word(self.panic_at)? as usize).min(4096);
            let at = self.panic_at + 4;
            Some(String::from_utf8_lossy(data.get(at..at + length)?).into_owned())
        };
        let panic = panic().unwrap_or_default();
        // The shadow stack lies at the bottom of the memory and grows down: past its end the pointer
        // wraps around, or an access just below it faults.
        let pointer = self.stack_pointer.get(&mut self.store).i32().unwrap_or(0);
        let stack = pointer < 64 * 1024 || pointer > self.stack_top;
        Ok(Answer::Trapped { trap, abort, stack, panic })
    }

    /// Makes the instance fresh: see [`crate::memory`].
    pub(crate) fn reset(&mut self) -> Result<(), Error> {
        self.reset_stack()?;
        let base = self.memory.data_ptr(&self.store);
        let cards = self.cards.data_mut(&mut self.store);
        // SAFETY: the store's memory was made by `Creator` from this image; it is mapped as long as the
        // store lives, no code of the guest is running, and `self` is borrowed mutably.
        unsafe { self.image.restore(base, cards) }.map_err(Error::Host)
    }

    fn reset_stack(&mut self) -> Result<(), Error> {
        let set = self.stack_pointer.set(&mut self.store, Val::I32(self.stack_top));
        set.map_err(|error| Error::Runtime(format!("{error:#}")))
    }

    /// Whether memory and stack pointer are what they were at the start. Slow.
    #[cfg(test)]
    pub(crate) fn is_fresh(&mut self) -> bool {
        let pointer = self.stack_pointer.get(&mut self.store).i32();
        let base = self.memory.data_ptr(&self.store);
        // SAFETY: as in `reset`.
        pointer == Some(self.stack_top) && unsafe { self.image.is_pristine(base) }
    }

    /// Runs a program that every guest must be able to run.
    pub(crate) fn try_out(mut self) -> Result<(), Error> {
        let request = Request::Run(Run {
            program: SELF_TEST.to_owned(),
            called: true,
            limits: GuestLimits { memory_bytes: 1 << 24, output_bytes: 1 << 16, value_bytes: 1 << 16 },
            entropy: entropy(0),
        });
        let arguments = azr_wire::Arguments::Text("[1]".to_owned());
        let call = Request::Call(azr_wire::Call { entry: "f".to_owned(), arguments });
        let budget = Budget { fuel: 1 << 30, memory_bytes: 1 << 24, address_shift: 0, response_bytes: 1 << 20 };
        let run = RunRequest { request: request.encode(), budget, wall: Duration::MAX };
        let (loaded, used) = self.load(&run, &Cancel::new())?;
        if !loaded.is_loaded() {
            return Err(Error::GuestContract(format!("a program that it must run does not load: {loaded:?}")));
        }
        let (answer, _) = self.call(&run, &call.encode(), used, &Cancel::new())?;
        match answer {
            Answer::Response(_) => Ok(()),
            Answer::Trapped { .. } => {
                Err(Error::GuestContract(format!("a call that it must answer fails: {answer:?}")))
            }
        }
    }
}

#[cfg(test)]
#[cfg(feature = "compiler")]
mod tests {
    use super::*;
    use crate::guest::Guest;

    /// Programs that write all over their memory, and some that end in the middle.
    const PROGRAMS: &[(&str, &str)] = &[
        ("def f(n):\n    return n", "1"),
        ("import builtins, sys, math\ndef f(n):\n    builtins.x = sys.y = math.pi = [n] * 1000\n    return n", "7"),
        ("def f(n):\n    return len([str(i) * 9 for i in range(n)])", "30000"),
        ("def f(n):\n    return f(n - 1) if n else 0", "900"),
        ("def f(n):\n    return 1 / n", "0"),
        ("def f(n:", "0"),
        (
            "import re, json, datetime\ndef f(n):\n    return re.sub('a', json.dumps(n), str(datetime.date(2020, 1, n)))",
            "9",
        ),
    ];

    /// Loads and calls under a second setting of entropy, on a thread with the stack that a guest needs.
    fn with_instance(check: impl FnOnce(&mut Instance) + Send + 'static) {
        let guest = Guest::embedded().unwrap();
        let worker = std::thread::Builder::new().stack_size(crate::engine::STACK_BYTES + (2 << 20));
        worker.spawn(move || check(&mut Instance::new(guest.code()).unwrap())).unwrap().join().unwrap();
    }

    fn load_of(program: &str) -> RunRequest {
        let entropy = entropy(1);
        let request = Request::Run(Run {
            program: program.to_owned(),
            called: true,
            limits: GuestLimits { memory_bytes: 1 << 26, output_bytes: 1 << 16, value_bytes: 1 << 16 },
            entropy,
        });
        let address_shift = entropy.address_shift;
        let budget = Budget { fuel: 1 << 32, memory_bytes: 1 << 26, address_shift, response_bytes: 1 << 20 };
        RunRequest { request: request.encode(), budget, wall: Duration::MAX }
    }

    fn call_of(arguments: &str) -> Vec<u8> {
        let arguments = azr_wire::Arguments::Text(arguments.to_owned());
        Request::Call(azr_wire::Call { entry: "f".to_owned(), arguments }).encode()
    }

    fn memory_of(instance: &Instance) -> Vec<u8> {
        instance.memory.data(&instance.store).to_vec()
    }

    #[test]
    fn every_byte_of_a_used_instance_is_what_it_was() {
        with_instance(|instance| {
            assert!(instance.is_fresh());
            for (program, arguments) in PROGRAMS {
                let run = load_of(program);
                let (answer, used) = instance.load(&run, &Cancel::new()).unwrap();
                if answer.is_loaded() {
                    let (answer, _) = instance.call(&run, &call_of(arguments), used, &Cancel::new()).unwrap();
                    assert!(matches!(answer, Answer::Response(_)), "{program}: {answer:?}");
                }
                instance.reset().unwrap();
                assert!(instance.is_fresh(), "after {program}");
            }
        });
    }

    #[test]
    fn what_a_program_has_not_used_is_zero_and_is_most_of_the_memory() {
        with_instance(|instance| {
            for (program, arguments) in PROGRAMS {
                let run = load_of(program);
                let (answer, used) = instance.load(&run, &Cancel::new()).unwrap();
                if answer.is_loaded() {
                    instance.call(&run, &call_of(arguments), used, &Cancel::new()).unwrap();
                }
                let (memory, used) = (instance.memory.data(&instance.store), instance.used());
                assert!(used < memory.len() / 4, "{used} bytes after {program}");
                assert!(memory[used..].iter().all(|&byte| byte == 0), "after {program}");
                instance.reset().unwrap();
            }
        });
    }

    #[test]
    fn a_call_has_what_is_left_of_the_wall_clock_after_its_programs_load() {
        with_instance(|instance| {
            let (program, arguments) = PROGRAMS[0];
            let mut run = load_of(program);
            let (_, used) = instance.load(&run, &Cancel::new()).unwrap();
            run.wall = Duration::from_secs(3_600);
            instance.loaded_in = Duration::from_secs(3_599) * 2;
            let late = instance.call(&run, &call_of(arguments), used, &Cancel::new());
            assert!(matches!(late, Err(Error::WallClock { limit }) if limit == run.wall), "{late:?}");
        });
    }

    #[test]
    fn every_byte_is_what_it_was_at_the_checkpoint_and_in_the_end_what_it_was_at_the_start() {
        with_instance(|instance| {
            for (program, arguments) in PROGRAMS {
                let run = load_of(program);
                let (answer, used) = instance.load(&run, &Cancel::new()).unwrap();
                if !answer.is_loaded() {
                    instance.reset().unwrap();
                    continue;
                }
                let loaded = instance.checkpoint().expect("these programs write little before their call");
                let memory = memory_of(instance);
                let mut answers = Vec::new();
                for _ in 0..3 {
                    answers.push(instance.call(&run, &call_of(arguments), used, &Cancel::new()).unwrap());
                    if !instance.return_to(&loaded).unwrap() {
                        break;
                    }
                    assert!(memory == memory_of(instance), "after a call of {program}");
                }
                let bytes = |answer: &Answer| match answer {
                    Answer::Response(bytes) => bytes.clone(),
                    Answer::Trapped { .. } => panic!("{program}: {answer:?}"),
                };
                for (answer, fuel) in &answers {
                    assert_eq!((bytes(answer), fuel), (bytes(&answers[0].0), &answers[0].1), "{program}");
                }
                instance.forget(&loaded);
                instance.reset().unwrap();
                assert!(instance.is_fresh(), "after {program}");
            }
        });
    }
}
