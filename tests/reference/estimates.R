# What R's survival package makes of the data sets beside this script. Writes its answers, 15 digits, as CSV.
#
#   Rscript tests/reference/estimates.R            renews the files here
#   Rscript tests/reference/estimates.R FOLDER     writes them to FOLDER; the data are still read from here
library(survival)

here <- dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE)))
out <- c(commandArgs(TRUE), here)[1]
digits <- function(x) ifelse(is.na(x), "NE", formatC(x, digits = 15, format = "g", width = 1))
save <- function(rows, name) {
  shown <- as.data.frame(lapply(rows, function(column) if (is.numeric(column)) digits(column) else column))
  write.csv(shown, file.path(out, name), row.names = FALSE, quote = FALSE)
}

data <- read.csv(file.path(here, "data.csv"))
transforms <- c("log-log" = "log-log", "log" = "log", "linear" = "plain")  # ours = R's
curves <- medians <- quantiles <- landmarks <- summaries <- list()

for (name in unique(data$set)) {
  d <- data[data$set == name, ]
  for (transform in names(transforms)) {
    fit <- survfit(Surv(time, event) ~ 1, data = d, conf.type = transforms[[transform]])
    all <- summary(fit, censored = TRUE)
    curves[[length(curves) + 1]] <- data.frame(
      set = name, transform = transform, time = all$time, at_risk = all$n.risk, events = all$n.event,
      censored = fit$n.censor, survival = all$surv, std_error = all$std.err, lower = all$lower, upper = all$upper
    )
    median <- summary(fit)$table
    medians[[length(medians) + 1]] <- data.frame(
      set = name, transform = transform, value = median[["median"]], lower = median[["0.95LCL"]], upper = median[["0.95UCL"]]
    )
    reverse <- survfit(Surv(time, 1 - event) ~ 1, data = d, conf.type = transforms[[transform]])
    for (curve in c("survival", "follow-up")) {
      q <- quantile(if (curve == "survival") fit else reverse, probs = c(0.25, 0.5, 0.75))
      quantiles[[length(quantiles) + 1]] <- data.frame(
        set = name, transform = transform, curve = curve, p = c(0.25, 0.5, 0.75),
        value = unname(q$quantile), lower = unname(q$lower), upper = unname(q$upper)
      )
    }
  }
  fit <- survfit(Surv(time, event) ~ 1, data = d, conf.type = "log-log")
  within <- round(quantile(d$time, c(0.1, 0.25, 0.5, 0.75, 0.9)))
  days <- sort(unique(c(0, min(d$time), within, within + 0.25, max(d$time), max(d$time) + 1)))
  at <- summary(fit, times = days, extend = TRUE)
  landmarks[[length(landmarks) + 1]] <- data.frame(
    set = name, day = at$time, at_risk = at$n.risk, survival = at$surv, lower = at$lower, upper = at$upper
  )
  q <- quantile(d$time, c(0.25, 0.5, 0.75), type = 2)
  summaries[[length(summaries) + 1]] <- data.frame(
    set = name, n = nrow(d), mean = mean(d$time), sd = sd(d$time), median = q[[2]], q1 = q[[1]], q3 = q[[3]],
    minimum = min(d$time), maximum = max(d$time), q1_by_default = quantile(d$time, 0.25)[[1]]
  )
}

counts <- rbind(
  c(29, 64), c(81, 189), c(63, 189), c(18, 189), c(60, 73), c(52, 125), c(22, 29), c(19, 29), c(18, 64), c(11, 64),
  c(56, 64), c(8, 64), c(2, 64), c(0, 64), c(64, 64), c(1, 1), c(0, 1), c(1, 2), c(499, 1000), c(7, 100000)
)
proportions <- do.call(rbind, lapply(c(0.9, 0.95, 0.99), function(level) {
  limits <- t(apply(counts, 1, function(count) binom.test(count[1], count[2], conf.level = level)$conf.int))
  data.frame(k = counts[, 1], n = counts[, 2], confidence = level, lower = limits[, 1], upper = limits[, 2])
}))

save(do.call(rbind, curves), "r_curves.csv")
save(do.call(rbind, medians), "r_medians.csv")  # as print(fit) shows them
save(do.call(rbind, quantiles), "r_quantiles.csv")
save(do.call(rbind, landmarks), "r_landmarks.csv")
save(do.call(rbind, summaries), "r_summaries.csv")
save(proportions, "r_proportions.csv")
save(data.frame(program = c("R", "survival"), version = c(
  paste(R.version$major, R.version$minor, sep = "."), as.character(packageVersion("survival"))
)), "r_versions.csv")
