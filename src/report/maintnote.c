#include "report/maintnote.h"

#include <libical/ical.h>
#include <stdlib.h>

#include "base/clock.h"

/* libical reads and writes the calendar; what the fields mean is said here. Its times with a zone are turned into UTC by the zone
 * that the calendar itself brings. A time without one could be anywhere, so it is refused; so is a repetition in a zone that moves
 * its clocks, since it has no fixed hour in UTC. */

#define X_PREFIX "X-MAINTNOTE-"
#define REPEAT_MAX 1000
#define YEAR_MAX 2199 /* libical prints none of the far future */
#define PRODUCT "-//Comity//" COMITY_VERSION "//EN"

static const char *const impacts[IMPACT_COUNT] = {
	[IMPACT_NONE] = "NO-IMPACT",
	[IMPACT_REDUCED_REDUNDANCY] = "REDUCED-REDUNDANCY",
	[IMPACT_DEGRADED] = "DEGRADED",
	[IMPACT_OUTAGE] = "OUTAGE",
};

static const char *const statuses[MAINT_COUNT] = {
	[MAINT_TENTATIVE] = "TENTATIVE",   [MAINT_CONFIRMED] = "CONFIRMED", [MAINT_CANCELLED] = "CANCELLED",
	[MAINT_IN_PROCESS] = "IN-PROCESS", [MAINT_COMPLETED] = "COMPLETED",
};

/* Which word of a list; -1: none. */
static int find(struct span value, const char *const *words, int count)
{
	for (int i = 0; i < count; i++)
		if (span_equal_nocase(value, span_of(words[i])))
			return i;
	return -1;
}

static enum err keep(struct arena *a, const char *text, struct span *out)
{
	struct span s = text != NULL ? span_trim(span_of(text)) : SPAN("");
	const char *copy = arena_copy(a, s.at, s.len);

	*out = span_make(copy, s.len);
	return copy != NULL ? OK : ERR_NO_MEMORY;
}

/* ---- reading ---- */

static enum err read_field(struct arena *a, const char *name, const char *value, struct maintnote *m)
{
	struct span v = value != NULL ? span_trim(span_of(value)) : SPAN("");
	int n;

	if (strcasecmp(name, "PROVIDER") == 0)
		return keep(a, value, &m->provider);
	if (strcasecmp(name, "ACCOUNT") == 0)
		return keep(a, value, &m->account);
	if (strcasecmp(name, "MAINTENANCE-ID") == 0)
		return keep(a, value, &m->id);
	if (strcasecmp(name, "OBJECT-ID") == 0) {
		if (m->object_count == sizeof(m->objects) / sizeof(m->objects[0]))
			return fail(ERR_CALENDAR, X_PREFIX "OBJECT-ID: more than %zu", m->object_count);
		return keep(a, value, &m->objects[m->object_count++]);
	}
	if (strcasecmp(name, "IMPACT") == 0) {
		if ((n = find(v, impacts, IMPACT_COUNT)) < 0)
			return fail(ERR_CALENDAR, X_PREFIX "IMPACT: %.40s", value);
		m->impact = (enum maintnote_impact)n;
	} else if (strcasecmp(name, "STATUS") == 0) {
		if ((n = find(v, statuses, MAINT_COUNT)) < 0)
			return fail(ERR_CALENDAR, X_PREFIX "STATUS: %.40s", value);
		m->status = (enum maintnote_status)n;
	}
	return OK;
}

static enum err read_fields(struct arena *a, icalcomponent *event, struct maintnote *m)
{
	enum err e = OK;

	for (icalproperty *p = icalcomponent_get_first_property(event, ICAL_X_PROPERTY); e == OK && p != NULL;
	     p = icalcomponent_get_next_property(event, ICAL_X_PROPERTY)) {
		const char *name = icalproperty_get_x_name(p);

		if (name != NULL && strncasecmp(name, X_PREFIX, strlen(X_PREFIX)) == 0)
			e = read_field(a, name + strlen(X_PREFIX), icalproperty_get_x(p), m);
	}
	return e;
}

/* libical lets a 91st month pass. */
static bool exists(struct icaltimetype t)
{
	return !icaltime_is_null_time(t) && t.month >= 1 && t.month <= 12 && t.day >= 1 &&
	       t.day <= icaltime_days_in_month(t.month, t.year) && t.hour >= 0 && t.hour < 24 && t.minute >= 0 &&
	       t.minute < 60 && t.second >= 0 && t.second < 60;
}

static enum err read_time(const char *name, struct icaltimetype t, int64_t *out)
{
	if (!exists(t))
		return fail(ERR_CALENDAR, "%s: missing, or no time", name);
	if (!t.is_date && !icaltime_is_utc(t) && t.zone == NULL)
		return fail(ERR_CALENDAR, "%s: neither UTC nor in a zone that the calendar describes", name);
	if (t.year < 1970 || t.year > YEAR_MAX)
		return fail(ERR_CALENDAR, "%s: year %d", name, t.year);
	*out = (int64_t)icaltime_as_timet_with_zone(t, t.is_date ? icaltimezone_get_utc_timezone() : t.zone) * 1000;
	return *out >= 0 ? OK : fail(ERR_CALENDAR, "%s: before 1970", name);
}

static enum err read_repeat(icalcomponent *event, struct icaltimetype start, struct maintnote *m)
{
	icalproperty *p = icalcomponent_get_first_property(event, ICAL_RRULE_PROPERTY);
	struct icalrecurrencetype r;

	if (p == NULL)
		return OK;
	if (!icaltime_is_utc(start) && !start.is_date)
		return fail(ERR_CALENDAR, "RRULE: repeats by a local clock; give its times in UTC");
	r = icalproperty_get_rrule(p);
	if (r.interval != 1 || (r.freq != ICAL_DAILY_RECURRENCE && r.freq != ICAL_WEEKLY_RECURRENCE) || r.count < 1 ||
	    r.count > REPEAT_MAX || icalcomponent_get_first_property(event, ICAL_RDATE_PROPERTY) != NULL ||
	    icalcomponent_get_first_property(event, ICAL_EXDATE_PROPERTY) != NULL)
		return fail(ERR_CALENDAR, "RRULE: only FREQ=DAILY or WEEKLY with a COUNT up to %d", REPEAT_MAX);
	m->repeat = r.freq == ICAL_DAILY_RECURRENCE ? 1 : 2;
	m->repeat_count = (uint32_t)r.count;
	return OK;
}

static enum err read_times(icalcomponent *event, struct maintnote *m)
{
	struct icaltimetype start = icalcomponent_get_dtstart(event), stamp = icalcomponent_get_dtstamp(event);
	int sequence = icalcomponent_get_sequence(event);
	enum err e = read_time("DTSTART", start, &m->start_ms);

	if (e == OK)
		e = read_time("DTEND", icalcomponent_get_dtend(event), &m->end_ms);
	if (e == OK && m->end_ms <= m->start_ms)
		e = fail(ERR_CALENDAR, "DTEND: not after DTSTART");
	if (e == OK && !icaltime_is_null_time(stamp))
		e = read_time("DTSTAMP", stamp, &m->stamp_ms);
	if (e == OK)
		e = read_repeat(event, start, m);
	m->sequence = sequence > 0 ? (unsigned)sequence : 0;
	return e;
}

static enum err read_event(struct arena *a, icalcomponent *event, struct maintnote *m)
{
	icalproperty *organizer = icalcomponent_get_first_property(event, ICAL_ORGANIZER_PROPERTY);
	enum err e = keep(a, icalcomponent_get_uid(event), &m->uid);

	*m = (struct maintnote){ .uid = m->uid, .status = MAINT_CONFIRMED };
	if (e == OK)
		e = keep(a, icalcomponent_get_summary(event), &m->summary);
	if (e == OK)
		e = keep(a, organizer != NULL ? icalproperty_get_organizer(organizer) : NULL, &m->organizer);
	if (e == OK)
		e = keep(a, NULL, &m->provider);
	if (e == OK)
		e = keep(a, NULL, &m->account);
	if (e == OK)
		e = keep(a, NULL, &m->id);
	if (e == OK)
		e = read_fields(a, event, m);
	if (e == OK && m->uid.len == 0)
		e = fail(ERR_CALENDAR, "UID: missing");
	return e == OK ? read_times(event, m) : e;
}

static enum err read_events(struct arena *a, icalcomponent *calendar, struct maintnote **out, size_t *count)
{
	size_t n = (size_t)icalcomponent_count_components(calendar, ICAL_VEVENT_COMPONENT);
	enum err e = OK;

	*count = 0;
	if (n == 0)
		return fail(ERR_CALENDAR, "no VEVENT");
	if (n > MAINTNOTES_MAX)
		return fail(ERR_CALENDAR, "%zu events, at most %d", n, MAINTNOTES_MAX);
	if ((*out = arena_array(a, n, sizeof(**out))) == NULL)
		return ERR_NO_MEMORY;
	for (icalcomponent *event = icalcomponent_get_first_component(calendar, ICAL_VEVENT_COMPONENT);
	     e == OK && event != NULL; event = icalcomponent_get_next_component(calendar, ICAL_VEVENT_COMPONENT))
		e = read_event(a, event, &(*out)[(*count)++]);
	return e;
}

enum err maintnotes_parse(struct arena *a, struct span text, struct maintnote **out, size_t *count)
{
	icalcomponent *calendar;
	const char *copy;
	enum err e;

	*count = 0;
	if (text.len > MAINTNOTE_MAX)
		return fail(ERR_CALENDAR, "%zu bytes, at most %zu", text.len, MAINTNOTE_MAX);
	if (!span_is_utf8(text) || memchr(text.at, '\0', text.len) != NULL)
		return fail(ERR_CALENDAR, "not UTF-8 text");
	if ((copy = arena_copy(a, text.at, text.len)) == NULL)
		return ERR_NO_MEMORY;
	icalerror_set_errors_are_fatal(false);
	if ((calendar = icalparser_parse_string(copy)) == NULL)
		return fail(ERR_CALENDAR, "no iCalendar object");
	e = icalcomponent_isa(calendar) == ICAL_VCALENDAR_COMPONENT ? read_events(a, calendar, out, count)
								    : fail(ERR_CALENDAR, "not one VCALENDAR");
	icalcomponent_free(calendar);
	return e;
}

/* ---- writing ---- */

/* Takes a span, gives libical what it wants: text with a zero behind it, without control characters. */
static const char *text_of(char *room, size_t size, struct span s)
{
	size_t n = s.len < size ? s.len : size - 1;

	for (size_t i = 0; i < n; i++)
		room[i] = (unsigned char)s.at[i] < ' ' ? ' ' : s.at[i];
	room[n] = '\0';
	return room;
}

static void add_x(icalcomponent *event, const char *name, struct span value)
{
	char room[1024], full[64];
	icalproperty *p;

	if (value.len == 0)
		return;
	p = icalproperty_new_x(text_of(room, sizeof(room), value));
	snprintf(full, sizeof(full), X_PREFIX "%s", name);
	icalproperty_set_x_name(p, full);
	icalcomponent_add_property(event, p);
}

static struct icaltimetype time_of(int64_t ms)
{
	return icaltime_from_timet_with_zone((time_t)(ms / 1000), 0, icaltimezone_get_utc_timezone());
}

static void add_repeat(icalcomponent *event, const struct maintnote *m)
{
	struct icalrecurrencetype r;

	if (m->repeat == 0)
		return;
	icalrecurrencetype_clear(&r);
	r.freq = m->repeat == 1 ? ICAL_DAILY_RECURRENCE : ICAL_WEEKLY_RECURRENCE;
	r.count = (int)m->repeat_count;
	icalcomponent_add_property(event, icalproperty_new_rrule(r));
}

static icalcomponent *make_event(const struct maintnote *m)
{
	icalcomponent *event = icalcomponent_new_vevent();
	char room[1024];

	icalcomponent_add_property(event, icalproperty_new_uid(text_of(room, sizeof(room), m->uid)));
	icalcomponent_add_property(event, icalproperty_new_sequence((int)m->sequence));
	icalcomponent_add_property(event, icalproperty_new_dtstamp(time_of(m->stamp_ms)));
	icalcomponent_add_property(event, icalproperty_new_dtstart(time_of(m->start_ms)));
	icalcomponent_add_property(event, icalproperty_new_dtend(time_of(m->end_ms)));
	add_repeat(event, m);
	icalcomponent_add_property(event, icalproperty_new_summary(text_of(room, sizeof(room), m->summary)));
	if (m->organizer.len > 0)
		icalcomponent_add_property(event,
					   icalproperty_new_organizer(text_of(room, sizeof(room), m->organizer)));
	add_x(event, "PROVIDER", m->provider);
	add_x(event, "ACCOUNT", m->account);
	add_x(event, "MAINTENANCE-ID", m->id);
	for (size_t i = 0; i < m->object_count; i++)
		add_x(event, "OBJECT-ID", m->objects[i]);
	add_x(event, "IMPACT", span_of(impacts[m->impact]));
	add_x(event, "STATUS", span_of(statuses[m->status]));
	return event;
}

enum err maintnotes_print(const struct maintnote *list, size_t count, struct buffer *out)
{
	icalcomponent *calendar = icalcomponent_new_vcalendar();
	char *text;

	if (calendar == NULL)
		return ERR_NO_MEMORY;
	icalcomponent_add_property(calendar, icalproperty_new_version("2.0"));
	icalcomponent_add_property(calendar, icalproperty_new_prodid(PRODUCT));
	for (size_t i = 0; i < count; i++)
		icalcomponent_add_component(calendar, make_event(&list[i]));
	text = icalcomponent_as_ical_string_r(calendar);
	icalcomponent_free(calendar);
	if (text == NULL)
		return ERR_NO_MEMORY;
	buffer_text(out, text);
	free(text);
	return out->err;
}
