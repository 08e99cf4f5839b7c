/* The frame of a page. Nothing in it comes from elsewhere. */
#include "page.h"

#include "base/clock.h"
#include "format.h"

#include <time.h>

static const char style[] =
    ":root{color-scheme:light dark;--page:#fff;--text:#1c2330;--soft:#5b6472;--line:#e2e6ec;"
    "--card:#f6f8fa;--whole:#2563c9;--first:#b8590a;--third:#1a7f55;--fourth:#7a4fc0;--bad:#c2273b}"
    "\n"
    "@media(prefers-color-scheme:dark){:root{--page:#12161c;--text:#e3e8ef;--soft:#98a3b3;"
    "--line:#2b323d;--card:#1a2029;--whole:#79adff;--first:#f2a65a;--third:#5ccb98;"
    "--fourth:#b899f2;--bad:#ff7583}}\n"
    "body{margin:0 auto;max-width:1500px;padding:24px;background:var(--page);color:var(--text);"
    "font:15px/1.45 system-ui,-apple-system,\"Segoe UI\",Roboto,\"DejaVu Sans\",sans-serif}\n"
    "h1{font-size:22px;margin:0 0 4px;overflow-wrap:anywhere}h2{font-size:15px;margin:0 0 6px}\n"
    "p{margin:0 0 14px;color:var(--soft)}.warn{color:var(--bad);font-weight:600}\n"
    ".tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(128px,1fr));gap:12px;"
    "margin:18px 0}\n"
    ".tile{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:10px "
    "14px}\n"
    ".tile b{display:block;font-size:21px;font-weight:650;font-variant-numeric:tabular-nums}\n"
    ".tile span{color:var(--soft);font-size:13px}\n"
    ".grid2{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(540px,100%),1fr));gap:"
    "16px}\n"
    "figure{margin:0;background:var(--card);border:1px solid var(--line);border-radius:8px;"
    "padding:14px 16px;overflow-x:auto}\n"
    "svg{display:block;width:100%;height:auto}\n"
    ".grid{stroke:var(--line)}.axis{stroke:var(--soft)}.tick{fill:var(--soft);font-size:12px}\n"
    ".line{fill:none;stroke-width:2;stroke-linejoin:round}.area{opacity:.14;stroke:none}\n"
    ".line.whole{stroke:var(--whole)}.line.first{stroke:var(--first)}.line.third{stroke:var(--"
    "third)}"
    ".line.fourth{stroke:var(--fourth)}.line.bad{stroke:var(--bad)}\n"
    ".area.whole,.dot.whole{fill:var(--whole)}.dot.first{fill:var(--first)}.area.third"
    "{fill:var(--third)}.area.fourth{fill:var(--fourth)}rect.bad{fill:var(--bad)}\n"
    ".dot{opacity:.35}.mark.whole{fill:var(--whole)}.mark.first{fill:var(--first)}"
    ".mark.third{fill:var(--third)}.mark.fourth{fill:var(--fourth)}pre{margin:0;font-size:13px}\n"
    ".key{display:inline-block;margin-right:16px;font-size:13px;color:var(--soft)}\n"
    ".key i{display:inline-block;width:11px;height:11px;border-radius:3px;margin-right:6px;"
    "vertical-align:-1px}.note{font-size:13px;color:var(--soft)}\n"
    "i.whole{background:var(--whole)}i.first{background:var(--first)}i.bad{background:var(--bad)}i."
    "third{background:var(--third)}i.fourth{background:var(--fourth)}\n"
    "table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}\n"
    "th,td{text-align:right;padding:4px 6px;font-size:14px;border-bottom:1px solid "
    "var(--line);font-weight:400;"
    "white-space:nowrap}th:first-child,td.text{text-align:left}td.text{white-space:normal}\n"
    "tr:first-child th{color:var(--soft);font-size:13px}tr:last-child>*{border-bottom:0}\n"
    ".bars .bar{width:28%;min-width:70px}.bar i{display:block;height:11px;border-radius:3px;"
    "}.bar .some{min-width:2px}.bars tr:first-child th{text-align:left;padding-left:8px}\n"
    "section{margin:16px 0}.better{color:var(--third)}.worse{color:var(--bad)}\n";

void
page_begin(struct buf *out, const char *title, const char *what)
{
	time_t now = (time_t)(clock_wall_ms() / 1000);
	struct tm tm;
	char date[40];

	gmtime_r(&now, &tm);
	strftime(date, sizeof(date), "%Y-%m-%d %H:%M UTC", &tm);
	buf_adds(out,
	         "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
	         "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>");
	format_add_html(out, title);
	buf_addf(out, "</title>\n<style>\n%s</style></head><body>\n<h1>", style);
	format_add_html(out, title);
	buf_adds(out, "</h1>\n<p>");
	format_add_html(out, what);
	buf_addf(out, "; %s; drover-bench " DROVER_VERSION "</p>\n", date);
}

void
page_end(struct buf *out)
{
	buf_adds(out, "</body></html>\n");
}

void
page_begin_figure(struct buf *out, const char *title)
{
	buf_addf(out, "<figure>\n<h2>%s</h2>\n", title);
}

void
page_end_figure(struct buf *out)
{
	buf_adds(out, "</figure>\n");
}

void
page_add_key(struct buf *out, const char *class, const char *text)
{
	buf_addf(out, "<span class=\"key\"><i class=\"%s\"></i>%s</span>\n", class, text);
}
