/* SPDX-License-Identifier: GPL-2.0 */
/*
 * call - the life of a call to a mailbox, as <linux/supervisor.h> tells it, in
 * every order in which callers, repliers, owners and their deaths can meet.
 *
 * What the module does with the mailbox locked is one step here, an atomic{}.
 * Each of enum mutant is a bug; selftests/check/35-model wants them all found.
 */

/* The properties. An assertion that fails begins with the name of its own. */
#ifdef BREAKS
#define CHECKED 0	/* but for the one that a mutant breaks */
#else
#define CHECKED 1
#endif
hidden byte one_outcome = CHECKED;	/* a call ends exactly once */
hidden byte reply_arrives = CHECKED;	/* accepted, and only then, the caller has it */
hidden byte death_is_true = CHECKED;	/* EOWNERDEAD comes of the owner's death */
hidden byte taken_back = CHECKED;	/* what was given up reaches no server */
hidden byte nobody_waits;	/* for ever for a dead owner: an invalid end state */
#define ALWAYS(property, x) assert(!property || (x))

#define WAITS 0		/* a SUPERVISOR_MAILBOX_CALL */
#define STARTED 1	/* a SUPERVISOR_CALL_START */

mtype:state = { NEW, QUEUED, TAKEN, ANSWERED, ORPHAN, OVER };
mtype:outcome = { NONE, REPLY, OWNERDEAD, NOPROC, TIMEDOUT, CANCELLED, CLOSED };

mtype:state state[2] = NEW;
mtype:outcome outcome[2] = NONE;
bool told[2];		/* the caller is woken, or has a message, and has not looked */
byte accepted[2];	/* whose reply was */
bool parked;		/* the caller of WAITS has EINTR, and may come back */
bool patient;		/* it has no deadline */
bool survive;
byte owner = 1;		/* 0: none */
byte owners = 2;	/* which live or are to come */
byte files = 5;		/* of the mailbox: each process begins with one */

mtype:mutant = { SOUND, NOT_TAKEN_BACK, LATE_REPLY, REPLY_LOST, TWO_REPLIES,
	DEATH_AFTER_REPLY, TAKEN_FORGOTTEN, PARKED_FORGOTTEN, OLD_OWNER };
#ifndef MUTANT
#define MUTANT SOUND
#endif

inline end(c, how)
{
	ALWAYS(one_outcome, outcome[c] == NONE);
	outcome[c] = how;
	state[c] = ((MUTANT == NOT_TAKEN_BACK && state[c] == QUEUED) ||
		    (MUTANT == LATE_REPLY && state[c] == TAKEN) -> state[c] : OVER);
	told[c] = false
}

inline tell(c, how)
{
	ALWAYS(one_outcome, !told[c]);
	state[c] = how;
	told[c] = true
}

inline look(c)
{
	if :: state[c] == ANSWERED -> end(c, REPLY) :: state[c] == ORPHAN -> end(c, OWNERDEAD) fi
}

/* The caller wants no more of it; an end that came first is the end. */
inline give_up(c, how)
{
	if :: told[c] && MUTANT != REPLY_LOST -> look(c) :: else -> end(c, how) fi
}

/* The owner is dead, or the mailbox has gone with its last file. */
inline orphan(c)
{
	ALWAYS(death_is_true, !owner || !files);
	if
	:: (state[c] == TAKEN && MUTANT != TAKEN_FORGOTTEN &&
	    !(MUTANT == PARKED_FORGOTTEN && c == WAITS && parked)) ||
	   (state[c] == ANSWERED && MUTANT == DEATH_AFTER_REPLY) ||
	   (state[c] == QUEUED && (!survive || !files)) -> tell(c, ORPHAN)
	:: else
	fi
}

inline close_file()
{
	files--;
	if :: !files -> orphan(STARTED) :: else fi	/* who waits in a call has a file */
}

inline make(c)
{
	if :: !owner && !survive -> end(c, NOPROC) :: else -> state[c] = QUEUED fi
}

proctype caller()
{
	bool signalled;

	atomic { make(WAITS) };
	do
	:: outcome[WAITS] != NONE -> break
	:: atomic { told[WAITS] -> look(WAITS) }
	:: atomic { outcome[WAITS] == NONE && !patient -> give_up(WAITS, TIMEDOUT) }
	:: atomic { outcome[WAITS] == NONE && !signalled -> signalled = true; parked = true };
		if
		:: parked = false	/* made again */
		:: atomic { end(WAITS, CLOSED) }
		fi
	/* It waits for an owner, and none will ever come: somebody kills it. */
	:: atomic { state[WAITS] == QUEUED && survive && !owners -> end(WAITS, CLOSED) }
	od;
	atomic { close_file() }
}

proctype starter()
{
	atomic { make(STARTED); close_file() };
	if
	:: outcome[STARTED] != NONE
	:: atomic { told[STARTED] -> look(STARTED) }
	:: atomic { outcome[STARTED] == NONE -> give_up(STARTED, CANCELLED) }
	/* closes the mailbox that the REPLY goes to */
	:: atomic { outcome[STARTED] == NONE -> end(STARTED, CLOSED) }
	fi
}

/* SUPERVISOR_CALL_REPLY: from whoever can read the mailbox. */
inline reply(c, who)
{
	if
	:: atomic { state[c] == TAKEN || (state[c] == ANSWERED && MUTANT == TWO_REPLIES) ->
		ALWAYS(reply_arrives, !accepted[c] && outcome[c] == NONE);
		accepted[c] = who;
		tell(c, ANSWERED) }
	:: state[c] != TAKEN	/* ENOENT, EALREADY, ESTALE */
	:: true			/* EFAULT, or never */
	fi
}

inline receive(c)
{
	atomic { owner && state[c] == QUEUED ->
		ALWAYS(taken_back, outcome[c] == NONE);
		state[c] = TAKEN }
}

proctype server(byte me)
{
	atomic {
		if
		:: me == 1
		/* SUPERVISOR_MAILBOX_OWN: succeeds the first, dead or not */
		:: me == 2 && (owner || survive) -> owner = me
		:: me == 2 && !owner && !survive -> goto out
		fi
	};
	do
	:: receive(WAITS) -> reply(WAITS, me)
	:: receive(STARTED) -> reply(STARTED, me)
	:: break
	od;
out:	atomic { close_file() };
	atomic { owners--;	/* dead */
		if
		:: owner == me || MUTANT == OLD_OWNER ->
			owner = (owner == me -> 0 : owner);
			orphan(WAITS);
			orphan(STARTED)
		:: else
		fi }
}

proctype helper()
{
	reply(WAITS, 3);
	reply(STARTED, 3);
	atomic { close_file() }
}

init
{
#ifdef BREAKS
	BREAKS = 1;
#endif
	atomic {
		if :: survive = true :: survive = false fi;
		if :: patient = true :: patient = false fi;
		run caller(); run starter(); run server(1); run server(2); run helper()
	};
	_nr_pr == 1;
	byte c;
	for (c : WAITS .. STARTED) {
		ALWAYS(one_outcome, outcome[c] != NONE && !told[c]);
		ALWAYS(reply_arrives, (outcome[c] == REPLY -> accepted[c] :
				       !accepted[c] || outcome[c] == CLOSED))
	}
}
