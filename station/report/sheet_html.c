/* SPDX-License-Identifier: Apache-2.0
 * A sheet as one HTML file: style, data and Chart.js inside, so that it can be mailed, kept for ten years and opened without
 * a network. Light, black on white: it is made for paper too. */
#include "report/sheet.h"

#include "base/embedded.h"

#include <stdlib.h>
#include <string.h>

static const char style[] =
    "@page{size:A4;margin:14mm}"
    "*{box-sizing:border-box}body{font:14px/1.45 system-ui,'Segoe UI',Roboto,Arial,sans-serif;color:#16202a;background:#fff;"
    "max-width:1040px;margin:0 auto;padding:24px}"
    "h1{font-size:24px;margin:0}h2{font-size:16px;margin:26px 0 6px;border-bottom:2px solid #16202a;padding-bottom:3px}"
    "p{margin:4px 0}.about,.note,footer{color:#55626e}.say{white-space:pre-line}"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 18px;margin:14px 0}dt{color:#55626e}dd{margin:0;font-weight:600;white-space:pre-wrap}"
    ".plot{position:relative;height:260px;margin:8px 0 12px;break-inside:avoid}"
    ".scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:12.5px}"
    "th,td{padding:3px 7px;border-bottom:1px solid #d5dbe0;text-align:left;vertical-align:top}td:not(.n){min-width:9em}"
    "th{border-bottom:2px solid #8896a2;white-space:nowrap}"
    "td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}"
    "tr{break-inside:avoid}thead{display:table-header-group}h2{break-after:avoid}footer{margin-top:28px;font-size:12px}"
    "@media print{body{padding:0;max-width:none;font-size:10.5pt}table{font-size:8pt}th,td{padding:1.5pt 3pt}td:not(.n){min-width:0}"
    "table.wide{font-size:6.2pt}.wide th,.wide td{padding:1pt 1.8pt}"
    ".plot{height:auto}.plot canvas{width:100%!important;height:auto!important}.scroll{overflow:visible}th,th.n{white-space:normal}}";

/* Draws what stands in #data: no animation, so that a printer that does not wait gets the whole picture. On paper the style
 * scales that picture to the page's width: no script runs between the page's layout and its printing. */
static const char script[] =
    "const C=['#1b6ca8','#d1495b','#5f9e6e'];"
    "for(const p of JSON.parse(document.getElementById('data').textContent)){"
    "const pc=p.unit==='%',r=p.rows,pareto=p.type==='pareto';"
    "const v=(k,s)=>r.map(x=>x[k]===null?null:x[k]*(s||1));"
    "const d=p.series.map((k,i)=>({label:p.titles[i],data:v(k,pc||(pareto&&i)?100:1),borderColor:C[i],"
    "backgroundColor:p.type==='line'?C[i]:(pareto&&i?C[1]:C[i]),type:pareto?(i?'line':'bar'):p.type,"
    "yAxisID:pareto&&i?'b':'y',pointRadius:r.length>60?0:3,borderWidth:2,clip:false,order:pareto&&i?0:1}));"
    "const s={y:{beginAtZero:p.type!=='line',grace:p.type==='line'?'5%':0,title:{display:true,text:p.unit},ticks:{precision:pc?undefined:0}},"
    "x:{ticks:{maxRotation:60,autoSkip:true,maxTicksLimit:24}}};"
    "if(pc)s.y.max=100;if(pareto)s.b={position:'right',min:0,max:100,title:{display:true,text:'cumulative %'},grid:{drawOnChartArea:false}};"
    "new Chart(document.getElementById(p.id),{data:{labels:r.map(x=>x[p.label]),datasets:d},"
    "options:{animation:false,responsive:true,maintainAspectRatio:false,scales:s,plugins:{legend:{position:'bottom'}}}});}";

static void escape(const char *s, struct fl_buf *out)
{
    for (; *s; s++) {
        const char *e = *s == '<' ? "&lt;" : *s == '>' ? "&gt;" : *s == '&' ? "&amp;" : *s == '"' ? "&quot;" : NULL;
        if (e)
            fl_buf_adds(out, e);
        else
            fl_buf_addc(out, *s);
    }
}

static void element(const char *open, const char *text, const char *close, struct fl_buf *out)
{
    fl_buf_adds(out, open);
    escape(text, out);
    fl_buf_adds(out, close);
}

static const char *title_of(const struct sheet_part *p, const char *name)
{
    const struct table_column *c = table_column_named(p->table, name);
    return c ? c->title : name;
}

/* One picture for the script: which columns of which rows. */
static json_t *picture(const struct sheet_part *p, const char *id)
{
    json_t *series = json_array(), *titles = json_array(), *rows = table_json(p->table);
    for (size_t i = 0; i < SHEET_SERIES_MAX && p->chart->series[i]; i++) {
        (void)json_array_append_new(series, json_string(p->chart->series[i]));
        (void)json_array_append_new(titles, json_string(title_of(p, p->chart->series[i])));
    }
    const char *label = p->chart->label ? p->chart->label : table_column_at(p->table, 0)->name;
    return json_pack("{ss,ss,ss,ss,so,so,so}", "id", id, "type", p->chart->type, "label", label, "unit", p->chart->unit,
                     "series", series, "titles", titles, "rows", rows);
}

/* JSON inside HTML: nothing in it may end the element. */
static enum fl_err data_element(const json_t *list, struct fl_buf *out)
{
    char *text = json_dumps(list, JSON_COMPACT | JSON_REAL_PRECISION(TABLE_DIGITS));
    if (!text)
        return FL_NOMEM;
    fl_buf_adds(out, "<script type=\"application/json\" id=\"data\">");
    for (const char *p = text; *p; p++)
        if (*p == '<')
            fl_buf_adds(out, "\\u003c");
        else
            fl_buf_addc(out, *p);
    fl_buf_adds(out, "</script>\n");
    free(text);
    return FL_OK;
}

static enum fl_err charts(const struct sheet *s, struct fl_buf *out)
{
    char id[32];
    json_t *list = json_array();
    enum fl_err err = list ? FL_OK : FL_NOMEM;
    for (size_t i = 0; i < s->n_parts && !err; i++) {
        (void)snprintf(id, sizeof id, "chart%zu", i);
        if (s->parts[i].chart && table_rows(s->parts[i].table) && json_array_append_new(list, picture(&s->parts[i], id)) != 0)
            err = FL_NOMEM;
    }
    const struct fl_embedded *lib = fl_embedded_find(fl_embedded_web, "chart.umd.min.js");
    if (!err && lib && json_array_size(list)) {
        err = data_element(list, out);
        fl_buf_adds(out, "<script>");
        fl_buf_add(out, lib->bytes, lib->size);
        fl_buf_adds(out, "</script>\n<script>");
        fl_buf_adds(out, script);
        fl_buf_adds(out, "</script>\n");
    }
    json_decref(list);
    return err;
}

static enum fl_err part_html(const struct sheet_part *p, size_t i, struct fl_buf *out)
{
    element("<section><h2>", p->title, "</h2>\n", out);
    if (p->note)
        element("<p class=\"note\">", p->note, "</p>\n", out);
    if (p->chart && table_rows(p->table))
        fl_buf_addf(out, "<div class=\"plot\"><canvas id=\"chart%zu\"></canvas></div>\n", i);
    fl_buf_adds(out, "<div class=\"scroll\">");
    enum fl_err err = table_write_html(p->table, out);
    fl_buf_adds(out, "</div></section>\n");
    return err;
}

enum fl_err sheet_html(const struct sheet *s, struct fl_buf *out)
{
    enum fl_err err = s->bad ? FL_NOMEM : FL_OK;
    fl_buf_adds(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                     "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    element("<title>flashline: ", s->title, "</title>\n<style>", out);
    fl_buf_addf(out, "%s</style></head><body>\n", style);
    element("<h1>", s->title, "</h1>\n", out);
    element("<p class=\"about\">", s->about ? s->about : "", "</p>\n<dl>", out);
    for (size_t i = 0; i < s->n_facts && !s->bad; i++) {
        element("<dt>", s->facts[i].title, "</dt>", out);
        element("<dd>", s->facts[i].words, "</dd>\n", out);
    }
    fl_buf_adds(out, "</dl>\n");
    if (s->text)
        element("<p class=\"say\">", s->text, "</p>\n", out);
    for (size_t i = 0; i < s->n_parts && !err; i++)
        err = part_html(&s->parts[i], i, out);
    if (!err)
        err = charts(s, out);
    fl_buf_adds(out, "<footer>Made by flashline from the station's records. Yields: 95 % Wilson intervals; ABORTED attempts do not count.</footer>\n"
                     "</body></html>\n");
    return err ? err : fl_buf_err(out, NULL);
}
